//! What an attacker sends: depth, width, length. On a small stack, so that recursion would show.

use secval::json::{Limits, Writer, place};
use secval::reason::Reason;

use super::read;

const LEVELS: usize = 100_000;

/// Runs on the smallest stack that servers give their threads.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 * 1024).spawn(work);
    thread.expect("a thread").join().expect("no fault in the thread");
}

#[test]
fn depth_beyond_the_ceiling_is_refused() {
    on_a_small_stack(|| {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = open.repeat(LEVELS) + "1" + &close.repeat(LEVELS);
            let error = read(text.as_bytes(), &Limits::default()).expect_err("too deep");
            assert_eq!((error.reason(), error.offset()), (Reason::JsonDepth, 64 * open.len()));
            assert_eq!(place(text.as_bytes(), error.offset()).pointer.len(), 64 * 2);
        }
    });
}

#[test]
fn depth_that_the_caller_allows_takes_no_stack() {
    on_a_small_stack(|| {
        let limits = Limits { max_depth: LEVELS, ..Limits::default() };
        let text = "[{\"a\":".repeat(LEVELS / 2) + "1" + &"}]".repeat(LEVELS / 2);
        let document = read(text.as_bytes(), &limits).expect("deep, and allowed");
        let mut value = document.root();
        let mut levels = 0;
        while value.len() == 1 {
            let member = value.members().next().map(|(_, value)| value);
            value = value.items().next().or(member).expect("a child");
            levels += 1;
        }
        assert_eq!(levels, LEVELS);
        assert_eq!(value.as_number().expect("the number").as_i64(), Some(1));
        assert_eq!(place(text.as_bytes(), value.offset()).pointer, "/0/a".repeat(LEVELS / 2));
        // The other type would recurse.
        let error = document.to_serde().expect_err("too deep");
        assert_eq!(error.reason(), Reason::JsonDepth);

        let error = read(format!("[{text}]").as_bytes(), &limits).expect_err("one more");
        assert_eq!(error.reason(), Reason::JsonDepth);

        let mut writer = Writer::new(&limits);
        for _ in 0..LEVELS {
            writer.begin_array().expect("allowed");
        }
        assert_eq!(writer.begin_array().map_err(|e| e.reason()), Err(Reason::JsonDepth));
    });
}

#[test]
fn as_deep_as_serde_values_are_made_they_can_be_dropped() {
    on_a_small_stack(|| {
        let limits = Limits { max_depth: 513, ..Limits::default() };
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = open.repeat(512) + "[]" + &close.repeat(512);
            let document = read(text.as_bytes(), &limits).expect("allowed");
            let error = document.to_serde().expect_err("513 levels");
            assert_eq!((error.reason(), error.offset()), (Reason::JsonDepth, 512 * open.len()));
            let text = open.repeat(512) + "0" + &close.repeat(512);
            let document = read(text.as_bytes(), &limits).expect("allowed");
            let serde = document.to_serde().expect("512 levels");
            drop(serde);
        }
    });
}

#[test]
fn a_hundred_thousand_members() {
    let member = |n: usize| format!("\"member{n}\":{n}");
    let members: Vec<_> = (0..100_000).map(member).collect();
    let text = format!("{{{}}}", members.join(","));
    let document = read(text.as_bytes(), &Limits::default()).expect("all are different");
    assert_eq!(document.root().len(), 100_000);
    for again in [0, 11, 12, 13, 50_000, 99_999] {
        let text = format!("{{{},{}}}", members.join(","), member(again));
        let error = read(text.as_bytes(), &Limits::default()).expect_err("one is repeated");
        assert_eq!(error.reason(), Reason::JsonDuplicateKey);
        assert_eq!(error.offset(), text.rfind(&format!("\"member{again}\"")).expect("it is there"));
        assert_eq!(place(text.as_bytes(), error.offset()).pointer, format!("/member{again}"));
    }
}

#[test]
fn numbers_of_a_million_digits() {
    let text = "7".repeat(1_000_000);
    let error = read(text.as_bytes(), &Limits::default()).expect_err("too long");
    assert_eq!(error.reason(), Reason::JsonNumberChars);
    let limits = Limits { max_number_chars: 2_000_000, ..Limits::default() };
    let document = read(text.as_bytes(), &limits).expect("allowed");
    assert_eq!(document.root().as_number().expect("a number").text(), text);
    let small = format!("0.{text}e-5");
    let document = read(small.as_bytes(), &limits).expect("allowed");
    assert_eq!(document.root().as_number().expect("a number").as_f64(), 7.777_777_777_777_778e-6);
}

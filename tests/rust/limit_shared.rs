//! Tables that processes share: what is attached to, and what is refused.

#![cfg(target_os = "linux")]

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use secval::clock::SystemClock;
use secval::limit::{
    Charge, Counts, Limiter, LimiterError, Options, Quota, SharedFault, Sharing, remove_shared,
};

/// A name of this process's own, and its file; removed at the end.
struct Name(String);

impl Name {
    fn new(what: &str) -> Self {
        let name = Self(format!("test-{}-{what}", std::process::id()));
        let _ = fs::remove_file(name.path());
        name
    }

    fn path(&self) -> PathBuf {
        let user = fs::metadata("/proc/self").expect("a process").uid();
        Path::new("/dev/shm").join(format!("secval-{user}-{}", self.0))
    }

    fn open(&self, capacity: usize) -> Result<Limiter, LimiterError> {
        let options = Options { capacity, overflow: Some(64), sharing: Sharing::Host(&self.0) };
        Limiter::with(options, Arc::new(SystemClock))
    }

    fn refused(&self) -> SharedFault {
        match self.open(64).map(|_| ()) {
            Err(LimiterError::Shared(fault)) => fault,
            other => panic!("attached all the same: {other:?}"),
        }
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path());
    }
}

fn admitted(limiter: &Limiter, quota: Quota, tries: u32) -> u32 {
    let rule = limiter.rule("q", quota).expect("a rule");
    let charge = [Charge { rule, key: b"k", cost: 1 }];
    (0..tries).map(|_| u32::from(limiter.hit(&charge).allowed)).sum()
}

const QUOTA: Quota = Quota { limit: 10, window_ms: 3_600_000 };

#[test]
fn whoever_gives_the_name_counts_in_the_same_table() {
    let name = Name::new("same");
    let one = name.open(64).expect("a new table");
    let two = name.open(64).expect("the same table");
    assert_eq!(admitted(&one, QUOTA, 6) + admitted(&two, QUOTA, 6), 10);
    drop((one, two));
    // The table outlives those who count in it, and other quotas have counts of their own.
    let three = name.open(64).expect("the table is still there");
    assert_eq!(admitted(&three, QUOTA, 5), 0);
    assert_eq!(admitted(&three, Quota { limit: 3, ..QUOTA }, 5), 3);
    let found = Limiter::find(&name.0, Arc::new(SystemClock)).expect("by name alone");
    assert_eq!((found.stats().capacity, found.stats().rules, found.stats().live), (64, 2, 2));
    assert_eq!(found.usage()[1].counts, Counts::Hits(QUOTA));
    remove_shared(&name.0).expect("it is there");
    assert_eq!(remove_shared(&name.0), Err(LimiterError::Shared(SharedFault::Missing)));
    assert_eq!(admitted(&name.open(64).expect("a new one"), QUOTA, 11), 10);
}

#[test]
fn only_its_user_may_read_it_and_all_of_it_is_there() {
    let name = Name::new("mode");
    let limiter = name.open(4_096).expect("a new table");
    let file = fs::metadata(name.path()).expect("the file");
    assert_eq!(file.mode() & 0o777, 0o600);
    assert_eq!(file.len(), limiter.stats().bytes);
    assert!(file.blocks() * 512 >= file.len(), "every block is allocated");
    fs::set_permissions(name.path(), fs::Permissions::from_mode(0o660)).expect("ours");
    assert_eq!(name.refused(), SharedFault::Owner);
}

#[test]
fn what_is_not_a_table_for_us_is_refused() {
    let name = Name::new("foreign");
    let tamper = |offset: u64, bytes: &[u8]| {
        drop(name.open(64).expect("a new table"));
        let file = OpenOptions::new().write(true).open(name.path()).expect("the file");
        file.write_all_at(bytes, offset).expect("written");
        let refused = name.refused();
        fs::remove_file(name.path()).expect("removed");
        refused
    };
    assert_eq!(tamper(0, b"secvex"), SharedFault::Foreign);
    assert_eq!(tamper(7, &[9]), SharedFault::Layout);
    let other = SharedFault::Capacity { capacity: 7, overflow: 64 };
    assert_eq!(tamper(8, &7u64.to_ne_bytes()), other);
    assert_eq!(tamper(8, &u64::MAX.to_ne_bytes()), SharedFault::Foreign);
    assert_eq!(tamper(40, &[1; 16]), SharedFault::Boot);
    assert_eq!(tamper(56, &[1; 8]), SharedFault::Clock);

    let put = |length: u64, bytes: &[u8]| {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).mode(0o600).open(name.path()).expect("a file");
        file.write_all_at(bytes, 0).expect("written");
        file.set_len(length).expect("cut");
        let refused = name.refused();
        fs::remove_file(name.path()).expect("removed");
        refused
    };
    assert_eq!(put(0, b""), SharedFault::Foreign);
    assert_eq!(put(64, b"something else"), SharedFault::Foreign);
    let whole = {
        drop(name.open(64).expect("a new table"));
        let bytes = fs::read(name.path()).expect("the file");
        fs::remove_file(name.path()).expect("removed");
        bytes
    };
    assert_eq!(put(whole.len() as u64 - 64, &whole), SharedFault::Foreign, "truncated");
    assert_eq!(put(whole.len() as u64, &whole[..64]), SharedFault::Foreign, "with holes");
    std::os::unix::fs::symlink("/dev/null", name.path()).expect("a link");
    assert_eq!(name.refused(), SharedFault::Foreign);
}

#[test]
fn another_capacity_is_refused_and_named() {
    let name = Name::new("capacity");
    drop(name.open(128).expect("a new table"));
    let fault = name.refused();
    assert_eq!(fault, SharedFault::Capacity { capacity: 128, overflow: 64 });
    assert!(fault.to_string().contains("capacity 128"), "{fault}");
}

#[test]
fn names_stay_in_their_folder() {
    let long = "x".repeat(65);
    for name in ["", ".hidden", "../up", "a/b", "nul\0", "ümlaut", &long] {
        let options = Options { sharing: Sharing::Host(name), ..Options::default() };
        let error = Limiter::with(options, Arc::new(SystemClock)).map(|_| ()).expect_err(name);
        assert_eq!(error, LimiterError::Shared(SharedFault::Name), "{name:?}");
    }
}

#[test]
fn what_others_have_written_into_a_table_is_only_ever_a_number() {
    let name = Name::new("garbage");
    let limiter = name.open(64).expect("a table");
    let rule = limiter.rule("q", QUOTA).expect("a rule");
    let key = limiter.subject(b"k");
    let file = OpenOptions::new().write(true).open(name.path()).expect("a file");
    // All but the line that says what it is.
    let rest = file.metadata().expect("a size").len() - 64;
    for byte in [0xff, 0x7f, 0x55, 0x01] {
        file.write_all_at(&vec![byte; usize::try_from(rest).expect("small")], 64).expect("written");
        assert!(!limiter.hit_one(rule, key, 1).allowed);
        let (stats, usage) = (limiter.stats(), limiter.usage());
        assert!(stats.denied > 0 && stats.live <= stats.lines && !usage.is_empty());
        let _ = (limiter.ban(key, 1), limiter.banned_for(key), limiter.reset(rule, key));
        limiter.unban(key);
    }
}

#[test]
fn a_table_larger_than_memory_is_refused_when_it_is_made() {
    let name = Name::new("full");
    let free = 1 << 28;
    let bytes = free as u64 * 8 / 5 * 72;
    let asked =
        Command::new("stat").args(["-f", "-c", "%b %S", "/dev/shm"]).output().expect("stat");
    let told = String::from_utf8(asked.stdout).expect("two numbers");
    let size: u64 =
        told.split_whitespace().map(|it| it.parse::<u64>().expect("a number")).product();
    assert!(size > 0 && size < bytes, "this machine has room for the largest table: {size} bytes");
    assert_eq!(name.open(free).map(|_| ()), Err(LimiterError::Shared(SharedFault::Full)));
    assert!(!name.path().exists());
}

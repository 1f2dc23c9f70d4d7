//! Which process this is, asked of the kernel once: where calls of the kernel are slow, asking twice is half of taking a
//! slot and giving it back.
//!
//! A fork is another process, whoever forked it and however. So the number is kept on a page that the kernel empties in
//! each fork (`MADV_WIPEONFORK`, Linux 4.14). Where there is none, the kernel is asked every time.

#![forbid(unsafe_code)]

/// The number of this process.
#[cfg(all(target_os = "linux", not(any(loom, miri))))]
pub fn process_id() -> u32 {
    use super::mapping::Mapping;
    use std::sync::OnceLock;

    static KEPT: OnceLock<Option<Mapping>> = OnceLock::new();
    let kept = KEPT.get_or_init(|| Mapping::wiped_by_forks(1).ok());
    let word = kept.as_ref().and_then(|page| page.lines().first()).map(|line| &line.0[0]);
    let known = word.and_then(|word| u32::try_from(word.load()).ok()).filter(|&id| id != 0);
    known.unwrap_or_else(|| {
        let id = std::process::id();
        // Whoever was faster has put the same number there.
        let _ = word.is_some_and(|word| word.swap_if(0, id.into()));
        id
    })
}

/// The number of this process.
#[cfg(not(all(target_os = "linux", not(any(loom, miri)))))]
pub fn process_id() -> u32 {
    std::process::id()
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_kernel_says() {
        for _ in 0..3 {
            assert_eq!(process_id(), std::process::id());
        }
    }
}

//! A name for each request: unique, not secret, and not a count that tells how busy the service is.

#![forbid(unsafe_code)]

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::sync::{AtomicU64, Ordering};

/// Makes request ids: a keyed hash of a counter and the process, so that forked workers differ too.
#[derive(Debug)]
pub struct RequestIds {
    key: [u8; 16],
    next: AtomicU64,
}

impl RequestIds {
    /// Fails only if the operating system has no randomness to give.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 16];
        crate::seed::fill(&mut key)?;
        Ok(Self { key, next: AtomicU64::new(0) })
    }

    /// 32 hexadecimal digits, in the process of that number.
    pub fn next(&self, process: u32) -> String {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        // Relaxed: the counter only has to give each number once.
        hasher.write_u64(self.next.fetch_add(1, Ordering::Relaxed));
        hasher.write_u32(process);
        format!("{:032x}", hasher.finish128().as_u128())
    }
}

/// An id that came with the request, from a trusted proxy: `[A-Za-z0-9-]{1,64}` or nothing.
pub fn inbound(value: &[u8]) -> Option<String> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
    let fits = (1..=64).contains(&value.len()) && value.iter().all(plain);
    if fits { String::from_utf8(value.to_vec()).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_inbound_ones_are_bounded() {
        let ids = RequestIds::new().expect("randomness");
        let (a, b) = (ids.next(1), ids.next(1));
        assert_ne!(a, b);
        assert_eq!(a.len(), 32);
        assert_eq!(inbound(a.as_bytes()), Some(a));
        for bad in [&b""[..], b"a b", b"a\"", &[b'a'; 65]] {
            assert_eq!(inbound(bad), None);
        }
    }
}

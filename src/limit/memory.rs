//! A table's memory: lines, all zero when it is new; of this process, or shared with others.

#![forbid(unsafe_code)]

use super::Sharing;
use super::fault::LimiterError;
use super::layout::{Layout, Line};
use super::subject::Secret;

#[cfg(all(target_os = "linux", not(loom)))]
pub(super) use super::mapping::fetch;
#[cfg(all(target_os = "linux", not(loom)))]
pub(super) use mapped::Memory;
#[cfg(any(not(target_os = "linux"), loom))]
pub(super) use own::{Memory, fetch};

/// Memory from the kernel, which hands pages out when they are first written.
#[cfg(all(target_os = "linux", not(loom)))]
mod mapped {
    use super::super::mapping::Mapping;
    use super::super::shared;
    use super::{Layout, LimiterError, Line, Secret, Sharing};

    /// Lines that live as long as the table.
    pub(in crate::limit) struct Memory(pub(in crate::limit) Mapping);

    impl Memory {
        /// Memory for a table, and the secret that goes with it: `secret`, unless the table exists already.
        pub(in crate::limit) fn open(
            layout: Layout,
            secret: Secret,
            sharing: Sharing<'_>,
        ) -> Result<(Secret, Self), LimiterError> {
            let anonymous = |shared| {
                let mapping = Mapping::anonymous(layout.lines(), shared);
                mapping.map(|it| (secret, Self(it))).map_err(|_| LimiterError::Memory)
            };
            match sharing {
                Sharing::Process => anonymous(false),
                Sharing::Forks => anonymous(true),
                Sharing::Host(name) => {
                    let shared = shared::open(name, layout, secret)?;
                    Ok((shared.secret, shared.memory))
                }
            }
        }

        /// The lines.
        #[inline]
        pub(in crate::limit) fn lines(&self) -> &[Line] {
            self.0.lines()
        }
    }
}

/// Memory from the allocator: where there is no `/dev/shm`, and under the checkers.
#[cfg(any(not(target_os = "linux"), loom))]
mod own {
    use super::super::fault::SharedFault;
    use super::{Layout, LimiterError, Line, Secret, Sharing};

    /// Lines that live as long as the table.
    pub(in crate::limit) struct Memory(Vec<Line>);

    /// Nothing: who reads the line waits for it.
    #[inline]
    pub(in crate::limit) fn fetch(_line: &Line) {}

    impl Memory {
        /// Memory for a table, and the secret that goes with it.
        pub(in crate::limit) fn open(
            layout: Layout,
            secret: Secret,
            sharing: Sharing<'_>,
        ) -> Result<(Secret, Self), LimiterError> {
            match sharing {
                Sharing::Process => {
                    let lines = std::iter::repeat_with(Line::default).take(layout.lines());
                    Ok((secret, Self(lines.collect())))
                }
                Sharing::Forks | Sharing::Host(_) => Err(SharedFault::Unsupported.into()),
            }
        }

        /// The lines.
        #[inline]
        pub(in crate::limit) fn lines(&self) -> &[Line] {
            &self.0
        }
    }
}

//! Tables that all processes of a user on a host share: files in `/dev/shm`, found by name.
//!
//! A file is a table's memory, byte for byte. Its first line says what it is and for whom:
//!
//! ```text
//! magic and layout version │ capacity │ cells │ secret (2 words) │ boot (2 words) │ time namespace
//! ```
//!
//! It is made without a name, with all its blocks allocated and its first line written, and then linked: whoever finds
//! the name finds it whole, and of two who make it at once, one attaches to the other's. A full `/dev/shm` is an
//! error here and now, not a SIGBUS at some later hit.
//!
//! Attaching refuses what is not a table of this user, layout, capacity and boot; the message says which, and what to
//! do. Names, quotas and rules are no part of it: they are found in the directory.

#![forbid(unsafe_code)]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FallocateFlags, OFlags, fallocate, linkat};
use rustix::io::Errno;

use super::Sharing;
use super::fault::SharedFault;
use super::layout::{Layout, Line, VERSION};
use super::mapping::Mapping;
use super::memory::Memory;
use super::subject::Secret;

/// Where the files are: memory that has names.
const FOLDER: &str = "/dev/shm";

/// The first seven bytes of a table. The eighth is the layout's version.
const MAGIC: [u8; 7] = *b"secval\0";

/// How often making and attaching take turns, if somebody removes the file in between.
const TURNS: usize = 16;

impl From<io::Error> for SharedFault {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) if code == Errno::NOSPC.raw_os_error() => Self::Full,
            Some(code) if code == Errno::NOMEM.raw_os_error() => Self::Memory,
            Some(code) if code == Errno::NOENT.raw_os_error() => Self::Missing,
            // A symbolic link, or a folder, in the file's place.
            Some(code)
                if code == Errno::LOOP.raw_os_error() || code == Errno::ISDIR.raw_os_error() =>
            {
                Self::Foreign
            }
            Some(code) => Self::System(code),
            None => Self::Foreign,
        }
    }
}

impl From<Errno> for SharedFault {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

/// A table's memory and what is written in its first line.
pub(super) struct Shared {
    pub(super) layout: Layout,
    pub(super) secret: Secret,
    pub(super) memory: Memory,
}

/// The table of that name; made if there is none.
pub(super) fn open(name: &str, layout: Layout, secret: Secret) -> Result<Shared, SharedFault> {
    let path = path(name)?;
    for _ in 0..TURNS {
        match attach(&path, Some(layout)) {
            Err(SharedFault::Missing) => {}
            other => return other,
        }
        if let Some(made) = make(&path, layout, secret)? {
            return Ok(made);
        }
    }
    Err(SharedFault::Missing)
}

/// The table of that name, whatever its capacity.
pub(super) fn find(name: &str) -> Result<Shared, SharedFault> {
    attach(&path(name)?, None)
}

/// Removes a table's name. Processes that have it go on counting in it, among themselves.
pub(super) fn remove(name: &str) -> Result<(), SharedFault> {
    fs::remove_file(path(name)?).map_err(Into::into)
}

/// Users do not meet in a name.
fn path(name: &str) -> Result<PathBuf, SharedFault> {
    if !Sharing::is_name(name) {
        return Err(SharedFault::Name);
    }
    if !Path::new(FOLDER).is_dir() {
        return Err(SharedFault::Unsupported);
    }
    Ok(Path::new(FOLDER).join(format!("secval-{}-{name}", rustix::process::geteuid().as_raw())))
}

/// What must be the same for all who share a table.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Host {
    boot: [u64; 2],
    clock: u64,
}

impl Host {
    fn here() -> Result<Self, SharedFault> {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id");
        let text = text.map_err(|_| SharedFault::Unsupported)?;
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        let boot = u128::from_str_radix(&digits, 16).map_err(|_| SharedFault::Unsupported)?;
        // Kernels without time namespaces have one clock.
        let clock = fs::metadata("/proc/self/ns/time").map_or(0, |namespace| namespace.ino());
        let low = boot & u128::from(u64::MAX);
        let halves = [boot >> 64, low].map(|half| u64::try_from(half).unwrap_or(0));
        Ok(Self { boot: halves, clock })
    }
}

/// A table's first line.
fn constants(layout: Layout, secret: Secret, host: Host) -> [u64; 8] {
    let mut magic = [VERSION; 8];
    magic[..7].copy_from_slice(&MAGIC);
    let Secret([one, two]) = secret;
    let [high, low] = host.boot;
    let sizes = [layout.capacity as u64, layout.cells as u64];
    [u64::from_ne_bytes(magic), sizes[0], sizes[1], one, two, high, low, host.clock]
}

/// Makes a table and gives it its name; `None` if the name was given meanwhile.
fn make(path: &Path, layout: Layout, secret: Secret) -> Result<Option<Shared>, SharedFault> {
    let flags = OFlags::TMPFILE | OFlags::CLOEXEC;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(flags.bits().cast_signed());
    let file = options.open(FOLDER)?;
    fallocate(&file, FallocateFlags::empty(), 0, length(layout))?;
    let memory = Memory(Mapping::of_file(&file, layout.lines())?);
    let first = &memory.lines()[Layout::CONSTANTS].0;
    for (word, value) in first.iter().zip(constants(layout, secret, Host::here()?)) {
        let _ = word.swap_if(0, value);
    }
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(CWD, unnamed, CWD, path, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(Some(Shared { layout, secret, memory })),
        Err(Errno::EXIST) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Looks at a file until there is no doubt that it is a table for us.
fn attach(path: &Path, expected: Option<Layout>) -> Result<Shared, SharedFault> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(flags.bits().cast_signed());
    let file = options.open(path)?;
    let found = file.metadata()?;
    if found.uid() != rustix::process::geteuid().as_raw() || found.mode() & 0o077 != 0 {
        return Err(SharedFault::Owner);
    }
    let line = size_of::<Line>() as u64;
    if !found.is_file() || found.len() < line {
        return Err(SharedFault::Foreign);
    }
    let (layout, secret) = introduction(&file, expected)?;
    // Shorter, or with holes: touching what is not there would kill the process.
    if found.len() != length(layout) || found.blocks().saturating_mul(512) < length(layout) {
        return Err(SharedFault::Foreign);
    }
    let memory = Memory(Mapping::of_file(&file, layout.lines())?);
    Ok(Shared { layout, secret, memory })
}

/// Reads a file's first line, and believes nothing of it that was not compared.
fn introduction(file: &File, expected: Option<Layout>) -> Result<(Layout, Secret), SharedFault> {
    use std::os::unix::fs::FileExt;
    let mut bytes = [0; 64];
    file.read_exact_at(&mut bytes, 0)?;
    if bytes[..7] != MAGIC {
        return Err(SharedFault::Foreign);
    }
    if bytes[7] != VERSION {
        return Err(SharedFault::Layout);
    }
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_ne_bytes(*bytes);
    }
    let [_, capacity, overflow, one, two, high, low, clock] = words;
    let here = Host::here()?;
    if [high, low] != here.boot {
        return Err(SharedFault::Boot);
    }
    if clock != here.clock {
        return Err(SharedFault::Clock);
    }
    let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    let layout = Layout::new(size(capacity), size(overflow)).ok_or(SharedFault::Foreign)?;
    if expected.is_some_and(|expected| expected != layout) {
        return Err(SharedFault::Capacity { capacity, overflow });
    }
    Ok((layout, Secret([one, two])))
}

/// Bytes of a table's file.
fn length(layout: Layout) -> u64 {
    (layout.lines() * size_of::<Line>()) as u64
}

//! The gate as a whole: every reason as data, hostile bytes against an oracle, real APIs.

mod cases;
mod harness;
mod hostile;
mod wild;

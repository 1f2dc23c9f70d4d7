//! How often: quotas over sliding windows, counted exactly by all threads, and all processes, that share a table.
//!
//! # The promise
//!
//! Of a quota "L per W", **never more than L are admitted in any window of length W**, by the time of the decision, on
//! one host: by however many threads and processes, in memory of a fixed size, without a lock, a server or a thread of
//! its own. An exhausted key is never reset because others need its place. A worker that is killed, at whatever
//! instant, costs at most its own hit, for one window. In the long run at least 6/7 of L/W are admitted; where L is at
//! most 7, all but a millisecond's worth: L in each W + 1 ms, which is less than 6/7 if W is below 6 ms.
//!
//! A set that is full of live keys counts newcomers in the overflow, where keys share cells: they are admitted as long
//! as the cells are many for the keys that overflow in a window, and refused early otherwise (`table_full`), never
//! admitted too often. What the cells know of a newcomer's goes with it into its line, when it gets one, and counts there
//! for a window. [`Stats`] tells how many were. Without an overflow a newcomer to a full set is refused.
//!
//! Of slots, "N at once", never more than N are held: the same words, with a rule of their own (`slots.rs`).
//!
//! # The words
//!
//! Everything shared is 64-bit words ([`Word`](crate::sync::Word)) with two operations, `load` and `swap_if`, both
//! `SeqCst`. Their bits are drawn where they are read: a line's name in `tag.rs`, a count in `bucket.rs`, two counts of the
//! overflow in `cell.rs`, a ban in `operate.rs`; `layout.rs` says what lies where, `window.rs` which words of a line count
//! at which time.
//! What is read from memory is a number to bound, never an index.
//!
//! # The rules
//!
//! 1. **Look**: a hit reads the tags of its key's set, *then* the clock, *then* the words of the key's lines. A word that
//!    is newer than the clock says that the reading is old: start again. A key may have two lines; they are summed.
//! 2. **Refuse** without writing: if the sum and the cost exceed L, or the key is banned; and if the tag of the key's
//!    first line is what it was, or else the hit starts again. A flood of refusals dirties no memory.
//! 3. **Reserve**: the line's tag is read again; if it has changed, the words may have been another key's, whose window is
//!    another, and the hit starts again. Then the current word is swapped from exactly the value that was summed. If
//!    anybody has counted since, this fails, and the hit starts again. (If the line goes to another key in between, the
//!    word was emptied: what is swapped then is an empty word, and nobody's count is lost.)
//! 4. **Verify**: all tags of the set, then all words of the key, are read again. The hit stands if the key's lines and
//!    their tags are the same, nothing is newer, and the sum, with the hit in it, is at most L. (So it is if nothing at all
//!    has changed but the hit's own word, which is looked at first.)
//! 5. **Undo** otherwise, and start again: the cost is taken from the word if it still bears the stamp that the hit gave
//!    it, and the line's tag is what it was. A hit of several quotas verifies all of them before it stands, and takes
//!    back those that it has counted. After a bounded number of starts it is refused.
//! 6. **Claim**: a line that is free, or was evicted, gets the key's tag as `Born`; what the overflow knows of the key is
//!    written into its word; then it turns `Live`. Nobody counts in a line that is not `Live`.
//! 7. **Evict** only a line all of whose words are dead, in two phases: the tag turns `Dying`, one version on; then each
//!    word is looked at again and emptied. A word that is not dead any more gives the line back. Then it goes to the next key.
//! 8. **Settle**: whoever meets a `Born` or `Dying` line of its own key finishes or takes back what was begun; so does a
//!    claim with the `Born` lines that it passes. Nobody waits for a worker that may be dead.
//!
//! # The races that look bad
//!
//! All of them are of one kind: each side writes its own, then reads the other's. In the total order of `SeqCst` one of
//! the two writes is first, and its reader sees it.
//!
//! | side | writes, then reads | partner | writes, then reads |
//! |---|---|---|---|
//! | a hit (`Probe::reserve`, `verify`) | the word, then tags and words | another hit of the key | the same: two hits in one line meet at the swap; in two lines of the key the later one sees both |
//! | a hit (`Probe::reserve`, `verify`) | the word, then the tag | `evict` | the tag (`Dying`), then the words: the hit is undone, or the line given back |
//! | two claims of one key (`Table::claim`) | a tag each, then all tags (by starting again) | each other | both lines are the key's, and summed |
//! | `Probe::spill` | time and cells, then tags (`verify`) | `Table::carried` | the tag (`Born`), then time and cells: the newborn line carries the spilled hit, or the hit sees the line and starts again |
//! | `Table::ban` | its word, if it holds what it held when the line was the ban's | `evict` | the tag, then the words: the ban finds its word emptied, or the line is given back |
//! | `Table::unban`, `reset` (`clear`) | a word, if it holds what it held when the line was the key's | the line's next key | words that this key's have never been: newer ones, since where words are emptied a stamp is left that keeps the line for as long (`keep`, `lifted`); and a ban, which is stamped with a time to come, bears the `mark` of its line's tenure |
//!
//! A hit whose undo comes late can only make a key look fuller than it is, until it is done: its own, or the one that has
//! got the line between the hit's look and its count. For one window it stays so if the hit is killed before, or if
//! the tag moves between its look and its undo: what was emptied meanwhile, and counted anew, cannot be told from its
//! own. Two claims of one line can take it from each other as often as they start again; nobody waits for that.
//! A version wraps after 16,384 changes of one tag: a change goes unseen only if exactly a multiple of them falls into
//! one hit. (Or, of a ban, between the look of one who changes it and his change; and the line's next word must bear the
//! same time.)
//!
//! All of this is held by two checkers that drive this code in all orders of its accesses, and find each rule when it
//! is broken: `tests/loom/main.rs` has the table.
//!
//! ```
//! use std::sync::Arc;
//! use secval::clock::ManualClock;
//! use secval::limit::{Charge, Limiter, Quota};
//!
//! let clock = Arc::new(ManualClock::new(1_000_000, 0));
//! let limiter = Limiter::new(1_000, clock.clone()).unwrap();
//! let rule = limiter.rule("login", Quota::new(2, 60_000).unwrap()).unwrap();
//! let hit = || limiter.hit(&[Charge { rule, key: b"192.0.2.1", cost: 1 }]);
//! assert!(hit().allowed && hit().allowed);
//! let refused = hit();
//! assert!(!refused.allowed);
//! clock.advance(refused.retry_after_ms);
//! assert!(hit().allowed);
//! ```

use std::sync::Arc;

use crate::clock::Clock;

mod bucket;
mod cell;
mod decide;
mod directory;
mod fault;
mod layout;
#[cfg(all(target_os = "linux", not(loom)))]
mod mapping;
mod memory;
mod operate;
mod overflow;
#[cfg(not(loom))]
mod planted;
#[cfg(loom)]
pub mod planted;
mod probe;
mod process;
mod quota;
mod set;
#[cfg(all(target_os = "linux", not(loom)))]
mod shared;
mod slots;
mod stats;
mod subject;
mod survey;
mod table;
mod tag;
mod window;

pub use fault::{LimiterError, SharedFault};
pub use layout::{MAX_CAPACITY, VERSION as LAYOUT_VERSION};
pub use process::process_id;
pub use quota::{Quota, QuotaError, QuotaErrorKind};
pub use slots::{Lease, Slots, Taken};
pub use stats::Stats;
pub use subject::Subject;
pub use survey::{Counts, Usage};

use layout::Layout;
use memory::Memory;
use probe::Probe;
use subject::{Place, Secret};
use table::Table;
use window::{Kind, Window};

/// The number of a quota in a limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    number: u8,
    /// What it is spread by, worked out once.
    spread: u64,
}

impl Rule {
    fn new(number: u8) -> Self {
        Self { number, spread: subject::spread(number) }
    }

    #[inline]
    fn place(self, subject: Subject) -> Place {
        subject.place_by(self.number, self.spread)
    }
}

/// The number of slots in a limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SlotRule {
    number: u8,
    slots: Slots,
}

/// One quota to charge: all charges of a hit are admitted, or none is.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'k> {
    /// From [`Limiter::rule`].
    pub rule: Rule,
    /// The subject, as bytes of any length; only its keyed hash is kept.
    pub key: &'k [u8],
    /// How much this hit counts. One that counts nothing is admitted as long as no more than the limit is used.
    pub cost: u32,
}

/// The answer to a hit. The numbers are those of the charge that refuses (the longest, if several do), or, when
/// admitted, of the one with the least left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether all charges were admitted.
    pub allowed: bool,
    /// False: a quota is used up. True: the table has no room for a new key, or had none, and who shares its cells has
    /// used them up.
    pub table_full: bool,
    /// Index, in the hit's list, of the charge that these numbers speak of.
    pub charge: usize,
    /// Its quota's limit.
    pub limit: u32,
    /// What is left of it now.
    pub remaining: u32,
    /// Milliseconds until it is whole again if nobody hits.
    pub reset_after_ms: u64,
    /// Milliseconds after which this hit would be admitted if nobody else hits; 0 when allowed, [`u64::MAX`] if
    /// never, since it costs more than the limit.
    pub retry_after_ms: u64,
}

/// How a limiter's table is made.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Keys (with several quotas: keys times quotas) that are live at once.
    pub capacity: usize,
    /// Cells of the overflow; by default as many as `capacity`. 0: a key whose set is full is refused.
    pub overflow: Option<usize>,
    /// Who counts in it.
    pub sharing: Sharing<'a>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { capacity: 65_536, overflow: None, sharing: Sharing::Process }
    }
}

/// Who counts in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing<'a> {
    /// The threads of this process.
    Process,
    /// This process and those that it forks from now on.
    Forks,
    /// All processes of this user on this host that give the same name.
    Host(&'a str),
}

impl Sharing<'_> {
    /// Whether this may name a shared table: 1 to 64 of `A-Z a-z 0-9 . _ -`, and no dot first.
    pub fn is_name(name: &str) -> bool {
        // Longer ones are refused by the file system, less clearly.
        const LONGEST: usize = 64;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (1..=LONGEST).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed)
    }
}

/// Removes the name of a shared table. Processes that have the table go on counting in it, among themselves; those
/// that come later make a new one.
#[cfg(all(target_os = "linux", not(loom)))]
pub fn remove_shared(name: &str) -> Result<(), LimiterError> {
    shared::remove(name).map_err(LimiterError::Shared)
}

/// A table of counts, for any number of quotas and subjects, in bounded memory.
pub struct Limiter {
    table: Table,
}

impl Limiter {
    /// Room for `capacity` live keys in this process, and as many cells of overflow.
    pub fn new(capacity: usize, clock: Arc<dyn Clock>) -> Result<Self, LimiterError> {
        Self::with(Options { capacity, ..Options::default() }, clock)
    }

    /// A table as the options ask for it.
    pub fn with(options: Options<'_>, clock: Arc<dyn Clock>) -> Result<Self, LimiterError> {
        let cells = options.overflow.unwrap_or(options.capacity);
        let layout = Layout::new(options.capacity, cells).ok_or(LimiterError::Capacity)?;
        let secret = Secret::random().ok_or(LimiterError::NoRandomness)?;
        let (secret, memory) = Memory::open(layout, secret, options.sharing)?;
        Ok(Self { table: Table::new(layout, secret, clock, memory) })
    }

    /// The table that processes of this host share by that name, whatever its capacity: to look at it.
    #[cfg(all(target_os = "linux", not(loom)))]
    pub fn find(name: &str, clock: Arc<dyn Clock>) -> Result<Self, LimiterError> {
        let shared::Shared { layout, secret, memory } = shared::find(name)?;
        Ok(Self { table: Table::new(layout, secret, clock, memory) })
    }

    /// The number of a quota, by its name and value; the same ones get the same number, also over a reload.
    pub fn rule(&self, name: &str, quota: Quota) -> Result<Rule, LimiterError> {
        let quota = Quota::new(quota.limit, quota.window_ms).map_err(LimiterError::Quota)?;
        let limit = quota.limit.to_le_bytes();
        let window = quota.window_ms.to_le_bytes();
        let identity = self.table.secret.digest(&[name.as_bytes(), &limit, &window]);
        self.number(identity, Window::new(quota)).map(Rule::new)
    }

    /// The number of slots, by their name and value, as [`Limiter::rule`] gives it for a quota.
    pub fn slots(&self, name: &str, slots: Slots) -> Result<SlotRule, LimiterError> {
        let slots = Slots::new(slots.limit, slots.lease_ms).ok_or(LimiterError::Slots)?;
        let limit = slots.limit.to_le_bytes();
        let lease = slots.lease_ms.to_le_bytes();
        // One part more than a quota has.
        let parts: [&[u8]; 4] = [name.as_bytes(), &limit, &lease, b"slots"];
        let number = self.number(self.table.secret.digest(&parts), Window::of_slots(slots))?;
        Ok(SlotRule { number, slots })
    }

    fn number(&self, identity: u64, window: Window) -> Result<u8, LimiterError> {
        let number = self.table.directory().number(identity.max(1), window);
        number.ok_or(LimiterError::TooManyRules)
    }

    /// A key as the table knows it, for those who charge it more than once.
    #[inline]
    pub fn subject(&self, key: &[u8]) -> Subject {
        self.table.secret.subject(key)
    }

    /// A key that was hashed already: by SipHash or as good a function, with a secret that nobody outside knows, to
    /// the same number in all processes that share the table. A table whose keys are named so in one call is to
    /// be asked so in all.
    #[inline]
    pub fn subject_of(&self, hash: u64) -> Subject {
        self.table.secret.subject_of(hash)
    }

    /// Charges all or nothing.
    pub fn hit(&self, charges: &[Charge<'_>]) -> Decision {
        // By far the most common, and quicker without a list of its own.
        match charges {
            [charge] => self.hit_one(charge.rule, self.subject(charge.key), charge.cost),
            charges => self.with_probes(charges, decide::hit),
        }
    }

    /// What a hit would answer, without charging.
    pub fn peek(&self, charges: &[Charge<'_>]) -> Decision {
        self.with_probes(charges, decide::peek)
    }

    /// Charges one subject by one rule: what [`Limiter::hit`] does, without a list.
    #[inline]
    pub fn hit_one(&self, rule: Rule, subject: Subject, cost: u32) -> Decision {
        let spot = self.table.spot(subject, rule.place(subject));
        match self.window(rule) {
            Some(window) => decide::hit_one(&self.table, Probe::new(spot, window, cost)),
            None => decide::unknown_rule(0),
        }
    }

    /// The window of a rule that hits are charged by; `None` if it is another table's.
    #[inline]
    fn window(&self, rule: Rule) -> Option<Window> {
        self.table.directory().window(rule.number).filter(|window| window.kind == Kind::Hits)
    }

    /// Charges one subject by several rules, all of them different.
    #[inline]
    pub fn hit_all(&self, rules: &[Rule], subject: Subject, cost: u32) -> Decision {
        match rules {
            [rule] => self.hit_one(*rule, subject, cost),
            rules => self.by_all(rules, subject, cost, decide::hit),
        }
    }

    /// What [`Limiter::hit_all`] would answer, without charging.
    pub fn peek_all(&self, rules: &[Rule], subject: Subject, cost: u32) -> Decision {
        self.by_all(rules, subject, cost, decide::peek)
    }

    fn by_all<'t>(
        &'t self,
        rules: &[Rule],
        subject: Subject,
        cost: u32,
        judge: impl FnOnce(&'t Table, &mut [Probe<'t>]) -> Decision,
    ) -> Decision {
        let mut probes = Vec::with_capacity(rules.len());
        for (index, &rule) in rules.iter().enumerate() {
            let spot = self.table.spot(subject, rule.place(subject));
            let Some(window) = self.window(rule) else { return decide::unknown_rule(index) };
            probes.push(Probe::new(spot, window, cost).of_charge(index));
        }
        judge(&self.table, &mut probes)
    }

    /// Takes a slot of a subject, if one is free and it is not banned. Exact over all who share the table.
    pub fn take(&self, rule: SlotRule, subject: Subject) -> Result<Lease, Taken> {
        match self.table.banned_slot(rule.number, rule.slots, subject) {
            Some(banned) => Err(banned),
            None => self.table.take(rule.number, rule.slots, subject),
        }
    }

    /// Makes a lease last from now on; false if it is over, and the slot may be somebody else's.
    pub fn renew(&self, lease: &mut Lease) -> bool {
        self.table.renew(lease)
    }

    /// Gives a slot back; false if its lease was over, and there was nothing left to give.
    pub fn release(&self, mut lease: Lease) -> bool {
        self.table.release(&mut lease)
    }

    /// Slots of a subject that are taken now.
    pub fn taken(&self, rule: SlotRule, subject: Subject) -> u64 {
        self.table.taken(rule.number, rule.slots, subject)
    }

    /// Refuses all hits of a subject, and gives it no slot, for `ms` milliseconds from now, or longer if it is banned
    /// for longer already; false if the table has no room to remember it.
    pub fn ban(&self, subject: Subject, ms: u64) -> bool {
        self.table.ban(subject, self.table.now().saturating_add(ms))
    }

    /// Lifts a ban.
    pub fn unban(&self, subject: Subject) {
        self.table.unban(subject);
    }

    /// Milliseconds for which a subject is banned from now on.
    pub fn banned_for(&self, subject: Subject) -> Option<u64> {
        let until = self.table.banned_until(subject)?;
        until.checked_sub(self.table.now()).filter(|ms| *ms > 0)
    }

    /// Forgets what a subject has used of a rule, apart from what the overflow knows. For operators.
    pub fn reset(&self, rule: Rule, subject: Subject) {
        self.table.reset(subject, rule.number);
    }

    /// Sizes and counters. Looks at every line.
    pub fn stats(&self) -> Stats {
        self.table.stats()
    }

    /// The rules, and how many keys each of them counts. Looks at every line.
    pub fn usage(&self) -> Vec<Usage> {
        self.table.usage()
    }

    fn with_probes<'t>(
        &'t self,
        charges: &[Charge<'_>],
        judge: impl FnOnce(&'t Table, &mut [Probe<'t>]) -> Decision,
    ) -> Decision {
        let mut probes: Vec<Probe<'_>> = Vec::with_capacity(charges.len());
        for (index, charge) in charges.iter().enumerate() {
            let Charge { rule, key, cost } = *charge;
            let subject = self.subject(key);
            let spot = self.table.spot(subject, rule.place(subject));
            let Some(window) = self.window(rule) else { return decide::unknown_rule(index) };
            let probe = Probe::new(spot, window, cost).of_charge(index);
            // Two charges of one hit that count in the same words are one charge.
            match probes.iter_mut().find(|other| other.is_same(&probe)) {
                Some(other) => other.add(&probe),
                None => probes.push(probe),
            }
        }
        judge(&self.table, &mut probes)
    }
}

//! Chance that can be repeated: everything follows from a seed that is printed.

use shared_kernel::application::Ids as _;
use shared_kernel::infrastructure::system::SystemIds;

/// Variable that repeats a run.
const SEED_VARIABLE: &str = "CODEPIX_TEST_SEED";

/// A generator of numbers (splitmix64).
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The seed of `CODEPIX_TEST_SEED`, else a new one; printed, and shown when the test fails.
    pub(crate) fn of_this_run() -> Self {
        let given = std::env::var(SEED_VARIABLE).ok();
        let seed = given.map_or_else(
            || SystemIds.random().as_u64_pair().0,
            |text| text.parse().expect("the seed is a number"),
        );
        println!("repeat this run with {SEED_VARIABLE}={seed}");
        Self(seed)
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a small number");
        let number = self.number().checked_rem(end).expect("there is something to choose from");
        usize::try_from(number).expect("a small number")
    }

    /// Another order, every one as likely.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last.saturating_add(1));
            items.swap(last, other);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_order() {
    let shuffled = || {
        let mut chance = Chance(7);
        let mut items: Vec<u32> = (0..50).collect();
        chance.shuffle(&mut items);
        items
    };
    let mut sorted = shuffled();
    assert_eq!(sorted, shuffled());
    assert!(!sorted.is_sorted());
    sorted.sort_unstable();
    assert_eq!(sorted, (0..50).collect::<Vec<u32>>());
}

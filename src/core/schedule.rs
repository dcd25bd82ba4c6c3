//! Which step comes next: the first ready one in the plan's order.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::core::step::StepIndex;

/// What each step still waits for. Ending a step costs what it has dependents, never what the plan has steps.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    blocked_by: Vec<u32>,
    dependents: Vec<Vec<StepIndex>>,
    /// Steps that were ready once, the first on top; those that no longer are go when they come up.
    queue: BinaryHeap<Reverse<StepIndex>>,
    places: Vec<Place>,
    open: usize,
}

/// Where a step stands on the way from what it waits for to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Never offered.
    Blocked,
    /// In the queue.
    Ready,
    /// Taken out of it.
    Begun,
    /// Never to be offered again.
    Ended,
}

impl Schedule {
    /// A schedule of steps of which each comes after those named. Indices must be in range and without cycles.
    pub fn new<'a>(after: impl ExactSizeIterator<Item = &'a [StepIndex]>) -> Schedule {
        let count = after.len();
        let mut schedule = Schedule {
            blocked_by: vec![0; count],
            dependents: vec![Vec::new(); count],
            queue: BinaryHeap::new(),
            places: vec![Place::Blocked; count],
            open: count,
        };
        for (step, before) in after.enumerate() {
            schedule.blocked_by[step] = u32::try_from(before.len()).unwrap_or(u32::MAX);
            if before.is_empty() {
                schedule.offer(step);
            }
            for &earlier in before {
                schedule.dependents[earlier].push(step);
            }
        }
        schedule
    }

    /// Adds a step that is ready at once.
    pub fn push_ready(&mut self) -> StepIndex {
        let step = self.blocked_by.len();
        self.blocked_by.push(0);
        self.dependents.push(Vec::new());
        self.places.push(Place::Blocked);
        self.open += 1;
        self.offer(step);
        step
    }

    /// The first ready step, in the plan's order.
    pub fn first_ready(&mut self) -> Option<StepIndex> {
        while let Some(Reverse(step)) = self.queue.peek().copied() {
            if self.places[step] == Place::Ready {
                return Some(step);
            }
            self.queue.pop();
        }
        None
    }

    /// The step was begun: it is no longer offered.
    pub fn begin(&mut self, step: StepIndex) {
        self.places[step] = Place::Begun;
    }

    /// The step is ready, for the first time or to be made again; one that has ended never is.
    pub fn offer(&mut self, step: StepIndex) {
        if matches!(self.places[step], Place::Blocked | Place::Begun) {
            self.places[step] = Place::Ready;
            self.queue.push(Reverse(step));
        }
    }

    /// The step ended; what waited for it alone becomes ready.
    pub fn end(&mut self, step: StepIndex) {
        if std::mem::replace(&mut self.places[step], Place::Ended) == Place::Ended {
            return;
        }
        self.open -= 1;
        for dependent in std::mem::take(&mut self.dependents[step]) {
            self.blocked_by[dependent] -= 1;
            if self.blocked_by[dependent] == 0 {
                self.offer(dependent);
            }
        }
    }

    /// Have all steps ended?
    pub fn all_ended(&self) -> bool {
        self.open == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Each step after any set of earlier ones.
    fn any_dag() -> impl Strategy<Value = Vec<Vec<StepIndex>>> {
        prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..40).prop_map(
            |rows| {
                rows.into_iter()
                    .enumerate()
                    .map(|(step, picks)| {
                        let before: BTreeSet<_> =
                            picks.iter().filter(|_| step > 0).map(|pick| pick.index(step.max(1))).collect();
                        before.into_iter().collect()
                    })
                    .collect()
            },
        )
    }

    proptest! {
        #[test]
        fn every_step_is_offered_once_and_after_what_it_comes_after(after in any_dag(), last in any::<bool>()) {
            let mut schedule = Schedule::new(after.iter().map(Vec::as_slice));
            let mut ended = BTreeSet::new();
            while !schedule.all_ended() {
                let first = schedule.first_ready().unwrap();
                let step = if last { schedule.places.iter().rposition(|place| *place == Place::Ready).unwrap() } else { first };
                prop_assert!(first <= step);
                prop_assert!(after[step].iter().all(|before| ended.contains(before)));
                schedule.begin(step);
                prop_assert!(schedule.first_ready() != Some(step));
                schedule.end(step);
                prop_assert!(ended.insert(step));
            }
            prop_assert_eq!(ended.len(), after.len());
            prop_assert_eq!(schedule.first_ready(), None);
        }
    }

    #[test]
    fn steps_end_in_any_order() {
        let mut schedule = Schedule::new([&[][..], &[0], &[1], &[2]].into_iter());
        for step in [2, 0, 1] {
            schedule.end(step);
        }
        schedule.offer(2);
        assert_eq!((schedule.first_ready(), schedule.all_ended()), (Some(3), false));
    }

    #[test]
    fn an_empty_schedule_has_ended_until_a_step_is_pushed() {
        let mut schedule = Schedule::default();
        assert!(schedule.all_ended());
        assert_eq!(schedule.push_ready(), 0);
        assert_eq!((schedule.first_ready(), schedule.all_ended()), (Some(0), false));
    }
}

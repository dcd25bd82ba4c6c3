//! Which step comes next: the first ready one in the plan's order.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::core::step::StepIndex;

/// What each step still waits for. Ending a step costs what it has dependents, never what the plan has steps.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    blocked_by: Vec<u32>,
    /// For each step, the last of its dependents among these; each has the place of the one before it.
    last_dependent: Vec<Option<usize>>,
    dependents: Vec<(StepIndex, Option<usize>)>,
    /// Steps that were ready once, the first on top; those that no longer are go when they come up.
    queue: BinaryHeap<Reverse<(StepIndex, StepIndex)>>,
    /// Steps that were put off, the first due on top; those that no longer are go when they come up.
    timers: BinaryHeap<Reverse<(Moment, StepIndex)>>,
    places: Vec<Place>,
    /// The step whose place in the plan's order each takes: an item's is its step's, any other's its own.
    ranks: Vec<StepIndex>,
    open: usize,
}

/// A time as an integer that is in the same order; of times before 0, all are the same.
type Moment = u64;

/// Where a step stands on the way from what it waits for to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Never offered.
    Blocked,
    /// In the queue.
    Ready,
    /// Taken out of it, until somebody offers it again or, where that is known, until this moment.
    PutOff(Option<Moment>),
    /// Taken out of it: it runs.
    Begun,
    /// Never to be offered again.
    Ended,
}

/// Positive floats are in the order of their bits.
fn moment(time: f64) -> Moment {
    time.max(0.0).to_bits()
}

impl Schedule {
    /// A schedule of steps of which each comes after those named. Indices must be in range and without cycles.
    pub fn new<'a>(after: impl ExactSizeIterator<Item = &'a [StepIndex]>) -> Schedule {
        let count = after.len();
        let mut schedule = Schedule {
            blocked_by: vec![0; count],
            last_dependent: vec![None; count],
            places: vec![Place::Blocked; count],
            ranks: (0..count).collect(),
            open: count,
            ..Schedule::default()
        };
        for (step, before) in after.enumerate() {
            schedule.blocked_by[step] = u32::try_from(before.len()).unwrap_or(u32::MAX);
            if before.is_empty() {
                schedule.offer(step);
            }
            for &earlier in before {
                schedule.depends(step, earlier);
            }
        }
        schedule
    }

    /// Adds a step that is ready at once.
    pub fn push_ready(&mut self) -> StepIndex {
        self.push(self.places.len())
    }

    fn depends(&mut self, step: StepIndex, on: StepIndex) {
        self.dependents.push((step, self.last_dependent[on]));
        self.last_dependent[on] = Some(self.dependents.len() - 1);
    }

    fn push(&mut self, rank: StepIndex) -> StepIndex {
        let step = self.places.len();
        self.blocked_by.push(0);
        self.last_dependent.push(None);
        self.places.push(Place::Blocked);
        self.ranks.push(rank);
        self.open += 1;
        self.offer(step);
        step
    }

    /// The step begins with so many items, which are ready at once; it is offered again when all have ended.
    /// Gives the place of the first; the others follow it.
    pub fn fan_out(&mut self, step: StepIndex, count: u32) -> StepIndex {
        let first = self.places.len();
        self.begin(step);
        // A job that is read is laid out before it is said what has ended.
        self.blocked_by[step] += count;
        for _ in 0..count {
            let item = self.push(step);
            self.depends(step, item);
        }
        if count == 0 {
            self.offer(step);
        }
        first
    }

    /// The step whose place in the plan's order this one takes: itself, or the step that it is an item of.
    pub fn rank(&self, step: StepIndex) -> StepIndex {
        self.ranks[step]
    }

    /// The first ready step, in the plan's order.
    pub fn first_ready(&mut self, now: f64) -> Option<StepIndex> {
        while self.next_due().is_some_and(|due| due <= moment(now)) {
            if let Some(Reverse((_, step))) = self.timers.pop() {
                self.offer(step);
            }
        }
        while let Some(Reverse((_, step))) = self.queue.peek().copied() {
            if self.places[step] == Place::Ready {
                return Some(step);
            }
            self.queue.pop();
        }
        None
    }

    /// When the next step is due of those that were put off until a moment.
    pub fn first_due(&mut self) -> Option<f64> {
        self.next_due().map(f64::from_bits)
    }

    fn next_due(&mut self) -> Option<Moment> {
        while let Some(Reverse((due, step))) = self.timers.peek().copied() {
            if self.places[step] == Place::PutOff(Some(due)) {
                return Some(due);
            }
            self.timers.pop();
        }
        None
    }

    /// May this step begin now?
    pub fn is_ready(&mut self, step: StepIndex, now: f64) -> bool {
        if let Place::PutOff(Some(due)) = self.places[step]
            && due <= moment(now)
        {
            self.offer(step);
        }
        self.places[step] == Place::Ready
    }

    /// Is this step offered, as it was seen last?
    pub fn is_offered(&self, step: StepIndex) -> bool {
        self.places[step] == Place::Ready
    }

    /// When this step is due, where it was put off until a moment.
    pub fn due_at(&self, step: StepIndex) -> Option<f64> {
        match self.places[step] {
            Place::PutOff(due) => due.map(f64::from_bits),
            Place::Blocked | Place::Ready | Place::Begun | Place::Ended => None,
        }
    }

    /// The step was begun: it is no longer offered.
    pub fn begin(&mut self, step: StepIndex) {
        self.places[step] = Place::Begun;
    }

    /// The step can't begin: it is offered again at a moment, or when somebody says so.
    pub fn put_off(&mut self, step: StepIndex, until: Option<f64>) {
        if self.places[step] == Place::Ended {
            return;
        }
        self.places[step] = Place::PutOff(until.map(moment));
        if let Some(until) = until {
            self.timers.push(Reverse((moment(until), step)));
        }
    }

    /// The step is ready, for the first time or to be made again; one that has ended never is.
    pub fn offer(&mut self, step: StepIndex) {
        if !matches!(self.places[step], Place::Ready | Place::Ended) {
            self.places[step] = Place::Ready;
            self.queue.push(Reverse((self.ranks[step], step)));
        }
    }

    /// The step ended; what waited for it alone becomes ready.
    pub fn end(&mut self, step: StepIndex) {
        if std::mem::replace(&mut self.places[step], Place::Ended) == Place::Ended {
            return;
        }
        self.open -= 1;
        let mut next = self.last_dependent[step];
        while let Some(place) = next {
            let (dependent, before) = self.dependents[place];
            next = before;
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
                let first = schedule.first_ready(0.0).unwrap();
                let step = if last { schedule.places.iter().rposition(|place| *place == Place::Ready).unwrap() } else { first };
                prop_assert!(first <= step);
                prop_assert!(after[step].iter().all(|before| ended.contains(before)));
                schedule.begin(step);
                prop_assert!(schedule.first_ready(0.0) != Some(step));
                schedule.end(step);
                prop_assert!(ended.insert(step));
            }
            prop_assert_eq!(ended.len(), after.len());
            prop_assert_eq!(schedule.first_ready(0.0), None);
        }
    }

    #[test]
    fn steps_end_in_any_order() {
        let mut schedule = Schedule::new([&[][..], &[0], &[1], &[2]].into_iter());
        for step in [2, 0, 1] {
            schedule.end(step);
        }
        schedule.offer(2);
        assert_eq!((schedule.first_ready(0.0), schedule.all_ended()), (Some(3), false));
    }

    #[test]
    fn what_is_put_off_is_ready_at_its_moment_or_when_it_is_offered() {
        let mut schedule = Schedule::new([&[][..], &[], &[]].into_iter());
        schedule.put_off(0, Some(20.0));
        schedule.put_off(1, Some(10.0));
        schedule.put_off(2, None);
        assert_eq!((schedule.first_ready(9.5), schedule.first_due()), (None, Some(10.0)));
        assert_eq!((schedule.first_ready(10.0), schedule.first_due()), (Some(1), Some(20.0)));
        assert!(!schedule.is_ready(0, 19.0) && schedule.is_ready(0, 20.0));
        assert_eq!((schedule.first_ready(0.0), schedule.first_due()), (Some(0), None));
        schedule.end(0);
        schedule.end(1);
        assert_eq!(schedule.first_ready(1e300), None);
        schedule.offer(2);
        assert_eq!(schedule.first_ready(0.0), Some(2));
    }

    #[test]
    fn items_take_the_place_of_their_step_which_is_offered_again_when_all_have_ended() {
        let mut schedule = Schedule::new([&[][..], &[], &[0]].into_iter());
        assert_eq!(schedule.fan_out(0, 2), 3);
        assert_eq!((schedule.rank(4), schedule.first_ready(0.0)), (0, Some(3)));
        schedule.begin(3);
        assert_eq!(schedule.first_ready(0.0), Some(4));
        schedule.end(4);
        assert_eq!(schedule.first_ready(0.0), Some(1));
        schedule.end(3);
        assert_eq!(schedule.first_ready(0.0), Some(0));
        schedule.end(0);
        schedule.end(1);
        assert_eq!((schedule.first_ready(0.0), schedule.all_ended()), (Some(2), false));
        assert_eq!(schedule.fan_out(2, 0), 5);
        assert_eq!(schedule.first_ready(0.0), Some(2));
    }

    #[test]
    fn an_empty_schedule_has_ended_until_a_step_is_pushed() {
        let mut schedule = Schedule::default();
        assert!(schedule.all_ended());
        assert_eq!(schedule.push_ready(), 0);
        assert_eq!((schedule.first_ready(0.0), schedule.all_ended()), (Some(0), false));
    }
}

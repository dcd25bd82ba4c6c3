//! The ids of a plan's steps: which step has one, and which ids none may have.

use serde_json::Value;

use crate::core::{
    logic::nearest,
    step::{StepIndex, read_item_id},
};

/// The places of steps, in an order in which ids are found by halving: that of [`tail`], and of the ids where it is the same.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(u64, StepIndex)>);

impl Places {
    /// The place at which the step of this id stands.
    pub(super) fn find<'a>(&self, id: &str, id_at: impl Fn(StepIndex) -> &'a str) -> Option<StepIndex> {
        let wanted = tail(id);
        let found =
            self.0.binary_search_by(|&(tail, place)| tail.cmp(&wanted).then_with(|| id_at(place).cmp(id)));
        found.ok().map(|at| self.0[at].1)
    }
}

/// The last eight bytes of an id, where ids of one plan differ most. Those that are counted up are in order.
fn tail(id: &str) -> u64 {
    let last = &id.as_bytes()[id.len().saturating_sub(8)..];
    last.iter().fold(0, |tail, &byte| tail << 8 | u64::from(byte))
}

/// The ids of the steps as they are given.
pub(super) struct Ids<'a> {
    list: &'a [Value],
    places: Places,
}

impl<'a> Ids<'a> {
    pub(super) fn of(list: &'a [Value]) -> Ids<'a> {
        let ids = list.iter().zip(0..).filter_map(|(step, place)| {
            let id = step.get("id")?.as_str()?;
            Some((tail(id), id, place))
        });
        let mut sorted: Vec<(u64, &str, StepIndex)> = ids.collect();
        // Many are.
        if !sorted.is_sorted() {
            sorted.sort_unstable();
        }
        Ids { list, places: Places(sorted.into_iter().map(|(tail, _, place)| (tail, place)).collect()) }
    }

    pub(super) fn into_places(self) -> Places {
        self.places
    }

    fn id_at(&self, place: StepIndex) -> &'a str {
        self.list[place].get("id").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn place_of(&self, id: &str) -> Option<StepIndex> {
        self.places.find(id, |place| self.id_at(place))
    }

    /// For each step, the first one that has its id.
    pub(super) fn first_of_same(&self) -> Vec<StepIndex> {
        let mut first: Vec<StepIndex> = (0..self.list.len()).collect();
        for pair in self.places.0.windows(2) {
            if let [(before_tail, before), (tail, place)] = *pair
                && before_tail == tail
                && self.id_at(before) == self.id_at(place)
            {
                first[place] = first[before];
            }
        }
        first
    }

    /// What is known of a step's items is kept under ids of their own, which no step may have: the step that has
    /// an item of this id.
    pub(super) fn step_of_item<'i>(&self, id: &'i str) -> Option<&'i str> {
        let (step, _) = read_item_id(id)?;
        self.list[self.place_of(step)?].get("forEach").map(|_| step)
    }

    /// The keys and child jobs of a step are called after it: an item or a round with its number, a job with the ids of
    /// its own steps. The step that has something of this id.
    pub(super) fn step_of_key<'i>(&self, id: &'i str) -> Option<&'i str> {
        let owns = |colon: usize| {
            let step = &self.list[self.place_of(&id[..colon])?];
            let is_number = id[colon + 1..].bytes().all(|byte| byte.is_ascii_digit());
            let has = |key: &str| step.get(key).is_some();
            (has("job") || (is_number && (has("forEach") || has("repeat")))).then_some(&id[..colon])
        };
        id.match_indices(':').find_map(|(colon, _)| owns(colon))
    }

    /// A sentence about an id that no step has.
    pub(super) fn unknown(&self, id: &str) -> String {
        match nearest(id, (0..self.list.len()).map(|place| self.id_at(place))) {
            Some(meant) => format!("unknown step \"{id}\"; did you mean \"{meant}\"?"),
            None => format!("unknown step \"{id}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// Many with the same tail, some the same.
    fn any_ids() -> impl Strategy<Value = Vec<String>> {
        let id = ("[ab]{0,2}", prop::sample::select(vec!["", "1", "-step", "-long-tail", "é-of-all-them"]));
        prop::collection::vec(id.prop_map(|(start, end)| start + end), 0..12)
    }

    proptest! {
        #[test]
        fn a_step_is_found_by_its_id_and_the_first_of_the_same_is_known(ids in any_ids(), other in "[ab]{0,3}") {
            let list: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
            let read = Ids::of(&list);
            let first: Vec<StepIndex> =
                ids.iter().map(|id| ids.iter().position(|same| same == id).unwrap()).collect();
            prop_assert_eq!(read.first_of_same(), first);
            for id in ids.iter().chain([&other]) {
                let found = read.place_of(id).map(|place| &ids[place]);
                prop_assert_eq!(found, ids.iter().find(|same| *same == id));
            }
        }
    }
}

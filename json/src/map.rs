use std::{
    mem,
    ops::{Index, IndexMut},
    slice, vec,
};

use crate::Value;

/// Of so many members, looking at all is quicker than halving: most differ in length.
const FEW: usize = 12;

/// The members of an object, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map<Name = String, Member = Value> {
    members: Vec<(Name, Member)>,
}

impl Map {
    /// One without members.
    pub const fn new() -> Self {
        Map { members: Vec::new() }
    }

    /// In any order; of those with one name the last counts.
    pub(crate) fn of(mut members: Vec<(String, Value)>) -> Self {
        if !members.is_sorted_by(|a, b| a.0 < b.0) {
            // Stable, and the last of those with one name first.
            members.reverse();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            members.dedup_by(|after, before| after.0 == before.0);
        }
        Map { members }
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        // Most are made in order.
        match self.members.last() {
            Some((last, _)) if last.as_str() >= key => {
                self.members.binary_search_by(|(other, _)| other.as_str().cmp(key))
            }
            _ => Err(self.members.len()),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Leaves none.
    pub fn clear(&mut self) {
        self.members.clear();
    }

    /// The member of this name.
    pub fn get(&self, key: &str) -> Option<&Value> {
        if self.members.len() <= FEW {
            return self.members.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        }
        let place = self.find(key).ok()?;
        Some(&self.members.get(place)?.1)
    }

    /// The member of this name, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let place = self.find(key).ok()?;
        Some(&mut self.members.get_mut(place)?.1)
    }

    /// Is there a member of this name?
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Gives back what was there before.
    pub fn insert(&mut self, key: String, value: Value) -> Option<Value> {
        match self.find(&key) {
            Ok(place) => Some(mem::replace(&mut self.members[place].1, value)),
            Err(place) => {
                self.members.insert(place, (key, value));
                None
            }
        }
    }

    /// Gives back what was there.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.find(key).ok()?;
        Some(self.members.remove(place).1)
    }

    /// The place of the member of this name.
    pub fn entry(&mut self, key: impl Into<String>) -> Entry<'_> {
        Entry { map: self, key: key.into() }
    }

    /// Keeps those of which this is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&String, &mut Value) -> bool) {
        self.members.retain_mut(|(key, value)| keep(key, value));
    }

    /// Names and values.
    pub fn iter(&self) -> Iter<'_> {
        self.into_iter()
    }

    /// Names and values, which may be changed.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&String, &mut Value)> {
        self.members.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The names.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &String> + Clone {
        self.members.iter().map(|(key, _)| key)
    }

    /// The values.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + Clone {
        self.members.iter().map(|(_, value)| value)
    }

    /// The values, which may be changed.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Value> {
        self.members.iter_mut().map(|(_, value)| value)
    }
}

/// The place of a member that is there or not.
pub struct Entry<'m> {
    map: &'m mut Map,
    key: String,
}

impl<'m> Entry<'m> {
    /// What is there, or this, which then is there.
    pub fn or_insert_with(self, make: impl FnOnce() -> Value) -> &'m mut Value {
        let Entry { map, key } = self;
        let place = map.find(&key).unwrap_or_else(|place| {
            map.members.insert(place, (key, make()));
            place
        });
        &mut map.members[place].1
    }

    /// What is there, or this, which then is there.
    pub fn or_insert(self, value: Value) -> &'m mut Value {
        self.or_insert_with(|| value)
    }
}

/// Names and values.
pub type Iter<'m> =
    std::iter::Map<slice::Iter<'m, (String, Value)>, fn(&'m (String, Value)) -> (&'m String, &'m Value)>;

impl<'m> IntoIterator for &'m Map {
    type Item = (&'m String, &'m Value);
    type IntoIter = Iter<'m>;

    fn into_iter(self) -> Iter<'m> {
        self.members.iter().map(|(key, value)| (key, value))
    }
}

impl IntoIterator for Map {
    type Item = (String, Value);
    type IntoIter = vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

impl FromIterator<(String, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        Map::of(members.into_iter().collect())
    }
}

impl Extend<(String, Value)> for Map {
    fn extend<I: IntoIterator<Item = (String, Value)>>(&mut self, members: I) {
        for (key, value) in members {
            self.insert(key, value);
        }
    }
}

impl Index<&str> for Map {
    type Output = Value;

    /// Null, where there is none.
    fn index(&self, key: &str) -> &Value {
        static NULL: Value = Value::Null;
        self.get(key).unwrap_or(&NULL)
    }
}

/// What is not there becomes null.
impl IndexMut<&str> for Map {
    fn index_mut(&mut self, key: &str) -> &mut Value {
        self.entry(key).or_insert(Value::Null)
    }
}

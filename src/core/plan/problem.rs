//! What is wrong with a plan: a path into it and a sentence.

/// One problem of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, as in `steps[2].retry.maxAttempts`; empty for the plan itself.
    pub path: String,
    /// What is wrong there and what was expected.
    pub message: String,
}

/// A place in the plan being read; grows and shrinks as the reader descends.
#[derive(Default)]
pub(super) struct Report {
    path: String,
    /// In how many other plans the plan being read stands.
    pub(super) depth: usize,
    pub(super) problems: Vec<Problem>,
}

impl Report {
    /// Notes a problem at this place.
    pub(super) fn say(&mut self, message: impl Into<String>) {
        self.problems.push(Problem { path: self.path.clone(), message: message.into() });
    }

    /// Notes what must be at this place, and what was found there.
    pub(super) fn must_be(&mut self, what: &str, found: &serde_json::Value) {
        self.say(format!("must be {what}; found {}", shown(found)));
    }

    /// Likewise, at `key` below this place.
    pub(super) fn must_be_at(&mut self, key: &str, what: &str, found: &serde_json::Value) {
        self.at(key, |report| report.must_be(what, found));
    }

    /// Reads something at `key` below this place.
    pub(super) fn at<T>(&mut self, key: &str, read: impl FnOnce(&mut Report) -> T) -> T {
        let length = self.enter(key);
        let value = read(self);
        self.path.truncate(length);
        value
    }

    /// Answers how long the path was. Not generic: one copy of this code serves every reader.
    #[inline(never)]
    fn enter(&mut self, key: &str) -> usize {
        let length = self.path.len();
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(key);
        length
    }

    /// Each item of a plan has one: formatting takes longer than reading a step.
    fn push_number(&mut self, number: usize) {
        if number >= 10 {
            self.push_number(number / 10);
        }
        self.path.push(char::from(b'0' + (number % 10) as u8));
    }

    /// Reads the item at `index` of the list `key` below this place.
    pub(super) fn at_item<T>(&mut self, key: &str, index: usize, read: impl FnOnce(&mut Report) -> T) -> T {
        let length = self.enter(key);
        self.path.push('[');
        self.push_number(index);
        self.path.push(']');
        let value = read(self);
        self.path.truncate(length);
        value
    }
}

/// A value as it is shown in a sentence: short, whatever it is.
pub(super) fn shown(value: &serde_json::Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_between_characters() {
        assert!(shown(&serde_json::json!("é".repeat(100))).ends_with('…'));
    }
}

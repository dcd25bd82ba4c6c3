//! The known name that a misspelt one was meant to be.

/// Names longer than this are not compared.
const LONGEST: usize = 40;

/// The candidate nearest to `name`, if one is near: at most two letters added, left out, changed or
/// swapped, and fewer than the name is long. Of several as near, the first.
///
/// ```
/// use jobwright_logic::nearest;
/// assert_eq!(nearest("fliter", ["map", "filter"]), Some("filter"));
/// assert_eq!(nearest("frobnicate", ["map", "filter"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let letters: Vec<char> = name.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut best = None;
    for candidate in candidates {
        let distance = distance(&letters, candidate);
        if distance <= 2 && distance < letters.len() && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Optimal string alignment: the usual table, of which three rows are kept.
fn distance(name: &[char], candidate: &str) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=name.len()).collect();
    let mut last = None;
    for (row, letter) in candidate.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, own) in name.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let change = at(&above, column) + usize::from(*own != letter);
            let mut least = change.min(at(&above, column + 1) + 1).min(at(&current, column) + 1);
            let previous = column.checked_sub(1).and_then(|previous| name.get(previous));
            if previous == Some(&letter) && last == Some(*own) {
                least = least.min(at(&before, column - 1) + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
        last = Some(letter);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["map", "missing", "missing_some", "==", "reduce", "substr"];
        for (name, meant) in [
            ("mpa", Some("map")),
            ("MAP", Some("map")),
            ("missing_sme", Some("missing_some")),
            ("redcue", Some("reduce")),
            ("substring", None),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
    }
}

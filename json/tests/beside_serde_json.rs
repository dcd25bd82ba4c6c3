//! The same texts and values, beside serde_json.

#![allow(clippy::unwrap_used, reason = "tests")]

use jobwright_json::{Map, Value, decimal, from_str, json};
use proptest::prelude::*;

/// JSON texts, also of numbers that no JavaScript writes.
fn texts() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i32>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
    ];
    let string = prop_oneof![
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        "\"([ -!#-\\[\\]-~]|\\\\[\"\\\\/bfnrt]|\\\\u0[0-9a-fA-F]{3}|\\\\ud83d\\\\ude0[0-9])*\"",
    ];
    let leaf =
        prop_oneof![Just("null".into()), Just("true".into()), Just("false".into()), number, string.clone()];
    let space = "[ \n\r\t]{0,2}";
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let items = prop::collection::vec((space, inner.clone(), space), 0..6).prop_map(|items| {
            let items: Vec<_> =
                items.into_iter().map(|(before, item, after)| before + &item + &after).collect();
            format!("[{}]", items.join(","))
        });
        let members = prop::collection::vec((string.clone(), space, inner), 0..6).prop_map(|members| {
            let members: Vec<_> =
                members.into_iter().map(|(key, space, value)| format!("{key}{space}:{value}")).collect();
            format!("{{{}}}", members.join(","))
        });
        prop_oneof![items, members]
    })
}

/// The same value, as far as numbers are JavaScript's.
fn same(own: &Value, other: &serde_json::Value) -> bool {
    match (own, other) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::Number(a), serde_json::Value::Number(b)) => a.as_f64() == b.to_string().parse().ok(),
        (Value::String(a), serde_json::Value::String(b)) => a == b,
        (Value::Array(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), serde_json::Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && same(a.1, b.1))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn reads_the_same(text in texts()) {
        let own = from_str(&text);
        let other: Result<serde_json::Value, _> = serde_json::from_str(&text);
        if let Ok(other) = other {
            let own = own.unwrap();
            prop_assert!(same(&own, &other), "{}: {:?}", text, own);
            prop_assert_eq!(from_str(&own.to_string()), Ok(own));
        }
    }

    #[test]
    fn refuses_the_same(text in texts(), at: prop::sample::Index, with in "[\\x00-\\x7f]{0,2}") {
        let mut at = at.index(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let end = text[at..].chars().next().map_or(at, |letter| at + letter.len_utf8());
        // A pair that comes apart is an error there.
        prop_assume!(!text.contains("\\ud83d"));
        let changed = format!("{}{with}{}", &text[..at], &text[end..]);
        let other: Result<serde_json::Value, _> = serde_json::from_str(&changed);
        prop_assert_eq!(from_str(&changed).is_ok(), other.is_ok(), "{:?}", changed);
    }

    #[test]
    fn writes_the_same(text in texts()) {
        if let (Ok(own), Ok(other)) = (from_str(&text), serde_json::from_str::<serde_json::Value>(&text)) {
            let written = own.to_string();
            prop_assert!(same(&own, &serde_json::from_str(&written).unwrap()), "{}", written);
            if !text.contains(['e', 'E', '.']) && !text.contains(|letter: char| letter.is_ascii_digit()) {
                prop_assert_eq!(written, other.to_string());
            }
        }
    }

    #[test]
    fn the_fewest_digits_are_those_that_serde_json_writes(bits: u64) {
        let number = f64::from_bits(bits);
        if number.is_finite() && number.trunc() != number {
            let own = decimal::text(number);
            prop_assert_eq!(decimal::parse(&own), number);
            let digits = |text: &str| -> String {
                let digits: String = text.split(['e', 'E']).next().unwrap().chars().filter(char::is_ascii_digit).collect();
                digits.trim_matches('0').into()
            };
            prop_assert_eq!(digits(&own), digits(&serde_json::to_string(&number).unwrap()), "{}", own);
        }
    }

    #[test]
    fn a_map_is_a_tree_map(changes in prop::collection::vec(("[a-e]{0,2}", 0..3_u8, any::<i32>()), 0..40)) {
        let (mut own, mut other) = (Map::new(), std::collections::BTreeMap::new());
        for (key, what, value) in changes {
            let value = Value::from(value);
            match what {
                0 => prop_assert_eq!(own.insert(key.clone(), value.clone()), other.insert(key, value)),
                1 => prop_assert_eq!(own.remove(&key), other.remove(&key)),
                _ => prop_assert_eq!(own.entry(key.as_str()).or_insert(value.clone()), other.entry(key).or_insert(value)),
            }
            prop_assert!(own.iter().eq(other.iter()));
        }
        for key in ["", "a", "bb", "e"] {
            prop_assert_eq!(own.get(key), other.get(key));
        }
        let listed: Vec<_> = other.clone().into_iter().rev().collect();
        prop_assert_eq!(listed.into_iter().collect::<Map>(), own);
    }
}

#[test]
fn of_members_with_one_name_the_last_counts() {
    assert_eq!(from_str(r#"{"a":1,"b":2,"a":3}"#), Ok(json!({ "a": 3, "b": 2 })));
}

#[test]
fn half_of_a_pair_becomes_the_replacement_character() {
    assert_eq!(
        from_str(r#""\ud83d \ude00 \ud83d\u0041 \ud83d\ud83d\ude00""#),
        Ok("\u{fffd} \u{fffd} \u{fffd}A \u{fffd}😀".into())
    );
}

#[test]
fn says_where_a_text_is_no_json() {
    for (text, sentence) in [
        ("", "no JSON, at byte 0"),
        ("[1,]", "no JSON, at byte 3"),
        ("{\"a\" 1}", "no JSON, at byte 5"),
        ("nul", "no JSON, at byte 0"),
        ("1 2", "no JSON, at byte 2"),
        ("01", "no JSON, at byte 1"),
        ("1e999", "no JSON, at byte 5"),
        ("\"\\x\"", "no JSON, at byte 2"),
    ] {
        assert_eq!(from_str(text).unwrap_err().to_string(), sentence, "{text}");
    }
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(from_str(&nested(127)).is_ok());
    assert_eq!(from_str(&nested(128)).unwrap_err().to_string(), "values nested too deep, at byte 127");
}

/// Found at random: both 2 and 3 are as near, and name it.
#[test]
fn of_two_shortest_forms_the_even_one_is_written() {
    assert_eq!(decimal::text(1_007_183_554_793_287.0 + 0.25), "1007183554793287.2");
    assert_eq!(decimal::text(-1_007_183_554_793_287.0 - 0.75), "-1007183554793287.8");
}

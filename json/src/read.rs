use std::fmt;

use crate::{Map, Value, decimal};

/// How deep values may nest: reading and dropping them takes stack.
const MAX_DEPTH: u32 = 127;

/// What is wrong with a text that is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    at: usize,
    too_deep: bool,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.too_deep { "values nested too deep, at byte " } else { "no JSON, at byte " })?;
        f.write_str(&self.at.to_string())
    }
}

impl std::error::Error for Error {}

/// Reads all of a text. Half of a surrogate pair becomes U+FFFD.
pub fn from_str(text: &str) -> Result<Value, Error> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = reader.value();
    reader.skip_space();
    match value {
        Some(value) if reader.at == text.len() => Ok(value),
        _ => Err(Error { at: reader.at, too_deep: reader.depth > MAX_DEPTH }),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: u32,
}

impl Reader<'_> {
    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Where the reading fails, `at` stays there.
    fn value(&mut self) -> Option<Value> {
        self.skip_space();
        match self.peek()? {
            b'"' => self.string().map(Value::String),
            b'[' => self
                .nested(b']', Vec::new(), |reader, items| {
                    items.push(reader.value()?);
                    Some(())
                })
                .map(Value::Array),
            b'{' => self
                .nested(b'}', Vec::new(), |reader, members| {
                    reader.skip_space();
                    let key = reader.string()?;
                    reader.skip_space();
                    if !reader.skip(b':') {
                        return None;
                    }
                    members.push((key, reader.value()?));
                    Some(())
                })
                .map(|members| Value::Object(Map::of(members))),
            b'n' => self.word("null", Value::Null),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let rest = self.text.get(self.at..)?;
        if !rest.starts_with(word) {
            return None;
        }
        self.at += word.len();
        Some(value)
    }

    /// What is between two brackets, separated by commas.
    fn nested<T>(
        &mut self,
        end: u8,
        mut list: Vec<T>,
        read: impl Fn(&mut Self, &mut Vec<T>) -> Option<()>,
    ) -> Option<Vec<T>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.at += 1;
        self.skip_space();
        if !self.skip(end) {
            loop {
                read(self, &mut list)?;
                self.skip_space();
                if self.skip(end) {
                    break;
                }
                if !self.skip(b',') {
                    return None;
                }
            }
        }
        self.depth -= 1;
        Some(list)
    }

    fn string(&mut self) -> Option<String> {
        if !self.skip(b'"') {
            return None;
        }
        let mut string = String::new();
        loop {
            let from = self.at;
            let rest = self.text.as_bytes().get(from..)?;
            let is_special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
            self.at += rest.iter().position(is_special).unwrap_or(rest.len());
            let plain = self.text.get(from..self.at)?;
            if self.skip(b'"') {
                return Some(if string.is_empty() { plain.to_owned() } else { string + plain });
            }
            string.push_str(plain);
            if !self.skip(b'\\') {
                return None;
            }
            string.push(self.escaped()?);
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => byte.into(),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                let after = self.at;
                if (0xd800..0xdc00).contains(&unit)
                    && self.skip(b'\\')
                    && self.skip(b'u')
                    && let Some(low @ 0xdc00..0xe000) = self.unit()
                {
                    return char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                }
                self.at = after;
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => {
                self.at -= 1;
                return None;
            }
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + char::from(self.peek()?).to_digit(16)?;
            self.at += 1;
        }
        Some(unit)
    }

    fn number(&mut self) -> Option<Value> {
        let from = self.at;
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits()?;
        }
        if self.skip(b'.') {
            self.digits()?;
        }
        if self.skip(b'e') || self.skip(b'E') {
            let _ = self.skip(b'+') || self.skip(b'-');
            self.digits()?;
        }
        let number = decimal::parse(self.text.get(from..self.at)?);
        number.is_finite().then(|| number.into())
    }

    /// One or more.
    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }
}

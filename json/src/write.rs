use std::fmt::{self, Write as _};

use crate::{Value, decimal};

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write(self, &mut text);
        f.write_str(&text)
    }
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&decimal::text(number.as_f64().unwrap_or_default())),
        Value::String(content) => quote(content, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                quote(key, text);
                text.push(':');
                write(member, text);
            }
            text.push('}');
        }
    }
}

fn quote(content: &str, text: &mut String) {
    text.push('"');
    let mut from = 0;
    for (at, byte) in content.bytes().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            0..32 => b'u',
            _ => continue,
        };
        text.push_str(&content[from..at]);
        from = at + 1;
        text.push('\\');
        text.push(short.into());
        if short == b'u' {
            // Writing to a text can't fail.
            let _ = write!(text, "{byte:04x}");
        }
    }
    text.push_str(&content[from..]);
    text.push('"');
}

//! Trace and span ids, derived so that they need no storage.
//!
//! A trace id is the job's id where that is a UUID (a UUID without dashes is a W3C trace id); any
//! other id is hashed. A span id is half the trace's own digits and half the event's number.

/// FNV-1a with 64 bits (Fowler, Noll, Vo), finished with the mixer of MurmurHash3 so that ids that
/// differ in one letter differ everywhere. Not for secrets.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut h = bytes.iter().fold(0xcbf2_9ce4_8422_2325 ^ seed, |h, byte| {
        (h ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

/// The digits of a UUID with dashes that is not nil.
fn digits_of_uuid(id: &str) -> Option<String> {
    let mut digits = String::with_capacity(32);
    for (place, byte) in id.bytes().enumerate() {
        match (place, byte) {
            (8 | 13 | 18 | 23, b'-') => {}
            (8 | 13 | 18 | 23, _) => return None,
            (_, byte) if byte.is_ascii_hexdigit() => digits.push(byte.to_ascii_lowercase().into()),
            _ => return None,
        }
    }
    (digits.len() == 32 && digits.bytes().any(|digit| digit != b'0')).then_some(digits)
}

/// The trace id of a job: 32 lower-case hexadecimal digits, never all zero.
///
/// ```
/// use jobwright::core::trace::trace_id;
/// assert_eq!(trace_id("0189dbe3-25c6-7b6a-8b1a-9d1e8a7f4c21"), "0189dbe325c67b6a8b1a9d1e8a7f4c21");
/// assert_eq!(trace_id("my job").len(), 32);
/// ```
pub fn trace_id(job_id: &str) -> String {
    if let Some(digits) = digits_of_uuid(job_id) {
        return digits;
    }
    let (high, low) = (hash(0, job_id.as_bytes()), hash(1, job_id.as_bytes()));
    format!("{:016x}{:016x}", high, low.max(1))
}

/// The span id of event `seq` in a trace: 16 hexadecimal digits.
pub fn span_id(trace_id: &str, seq: u64) -> String {
    let own = trace_id.get(24..32).unwrap_or("00000000");
    format!("{own}{:08x}", seq & 0xffff_ffff)
}

/// A number drawn from a job's id, a step's place and the round and attempt that it is at, for jitter that a
/// replay draws again: in [0, 1).
pub fn draw(trace_id: &str, step: usize, round: u32, attempt: u32) -> f64 {
    let seed = ((step as u64) << 32) ^ (u64::from(round) << 16) ^ u64::from(attempt);
    let mixed = hash(seed, trace_id.as_bytes());
    (mixed >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_id_gives_a_w3c_trace_id(id in ".*") {
            let trace = trace_id(&id);
            prop_assert_eq!(trace.len(), 32);
            prop_assert!(trace.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
            prop_assert!(trace.bytes().any(|b| b != b'0'));
        }

        #[test]
        fn a_draw_is_a_fraction(id in ".*", step in 0usize..1_000_000, round in any::<u32>(), attempt in any::<u32>()) {
            prop_assert!((0.0..1.0).contains(&draw(&id, step, round, attempt)));
        }
    }

    #[test]
    fn the_nil_uuid_is_hashed() {
        assert_ne!(trace_id("00000000-0000-0000-0000-000000000000"), "0".repeat(32));
    }

    #[test]
    fn spans_of_a_trace_differ() {
        let trace = trace_id("a");
        assert_ne!(span_id(&trace, 1), span_id(&trace, 2));
        assert_eq!(span_id(&trace, 1).len(), 16);
    }
}

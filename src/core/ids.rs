//! Job ids: version 4 UUIDs made from a pool of random bytes, so that an id costs no call to the
//! host's random source of its own.

const POOL: usize = 4_096;
const ID: usize = 16;

/// Random bytes not yet used up.
pub struct IdPool {
    bytes: Box<[u8; POOL]>,
    used: usize,
}

impl Default for IdPool {
    fn default() -> Self {
        IdPool { bytes: Box::new([0; POOL]), used: POOL }
    }
}

impl IdPool {
    /// The next id. `fill` is asked for fresh random bytes when the pool is used up; its error is passed on.
    pub fn next<E>(&mut self, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<String, E> {
        if self.used + ID > POOL {
            fill(&mut self.bytes[..])?;
            self.used = 0;
        }
        let mut random = [0; ID];
        random.copy_from_slice(&self.bytes[self.used..self.used + ID]);
        // Bytes that became an id are wiped: nothing that reads this memory later can find it.
        self.bytes[self.used..self.used + ID].fill(0);
        self.used += ID;
        Ok(uuid(random))
    }
}

fn uuid(mut random: [u8; ID]) -> String {
    // The version and the variant.
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    let mut id = String::with_capacity(36);
    for (place, byte) in random.into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        id.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Fills with the numbers 0, 1, 2, ... in 16 bytes each, so that no two ids share their bytes; counts how often.
    #[derive(Default)]
    struct Counting {
        next: u128,
        fills: usize,
    }

    impl Counting {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), ()> {
            self.fills += 1;
            for id in bytes.chunks_exact_mut(ID) {
                id.copy_from_slice(&self.next.to_le_bytes());
                self.next += 1;
            }
            Ok(())
        }
    }

    #[test]
    fn ids_are_well_formed_distinct_and_made_of_all_their_bytes() {
        let (mut pool, mut source) = (IdPool::default(), Counting::default());
        let ids: Vec<String> = (0..1_000).map(|_| pool.next(|bytes| source.fill(bytes)).unwrap()).collect();
        assert_eq!(source.fills, 1_000usize.div_ceil(POOL / ID));
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1_000);
        for (number, id) in (0u128..).zip(&ids) {
            let uuid = uuid::Uuid::parse_str(id).unwrap();
            assert_eq!((uuid.get_version_num(), uuid.get_variant()), (4, uuid::Variant::RFC4122), "{id}");
            assert_eq!(*id, uuid.hyphenated().to_string(), "lower case, with dashes");
            // Each id is its own slice of the source: none is skipped, shared or given twice.
            assert_eq!(uuid.into_bytes()[..6], number.to_le_bytes()[..6]);
        }
    }

    #[test]
    fn bytes_that_became_an_id_are_wiped() {
        let mut pool = IdPool::default();
        for used in 1..=POOL / ID {
            pool.next(|bytes| {
                bytes.fill(0xff);
                Ok::<(), ()>(())
            })
            .unwrap();
            assert!(pool.bytes[..used * ID].iter().all(|byte| *byte == 0));
            assert!(pool.bytes[used * ID..].iter().all(|byte| *byte == 0xff));
        }
    }

    #[test]
    fn a_failing_source_is_passed_on_and_the_next_call_works() {
        let mut pool = IdPool::default();
        assert_eq!(pool.next(|_| Err("no randomness")), Err("no randomness"));
        assert!(pool.next(|_| Ok::<(), ()>(())).is_ok());
    }
}

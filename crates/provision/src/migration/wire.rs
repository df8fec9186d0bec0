//! Protocol buffers, as far as two flat messages need them: varints and byte strings, borrowed from
//! the input. Every length is checked against what is left.

use super::Error;

/// A field's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// Of a wire type that no field here has; skipped.
    Fixed,
}

/// The fields of a message, in their order.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            // Nothing after a broken field can be trusted.
            self.0 = &[];
        }
        Some(field.ok_or(Error::Wire))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        match tag >> 3 {
            0 => None,
            number => Some((number, value)),
        }
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if bits << shift >> shift != bits {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }
}

/// Appends a field with a number, unless it is 0, which stands for itself.
pub(super) fn put_varint(out: &mut Vec<u8>, number: u8, value: u64) {
    if value != 0 {
        out.push(number << 3);
        varint(out, value);
    }
}

/// Appends a field with a byte string.
pub(super) fn put_bytes(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push((number << 3) | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Vec<Result<(u64, Value<'_>), Error>> {
        Fields(bytes).collect()
    }

    #[test]
    fn fields_are_read() {
        assert_eq!(
            fields(&[
                0x08, 0x96, 0x01, 0x12, 2, 7, 8, 0x1d, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0, 0, 0, 0
            ]),
            [
                Ok((1, Value::Varint(150))),
                Ok((2, Value::Bytes(&[7, 8]))),
                Ok((3, Value::Fixed)),
                Ok((4, Value::Fixed)),
            ]
        );
        let max = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(fields(&max), [Ok((1, Value::Varint(u64::MAX)))]);
    }

    #[test]
    fn what_is_broken_ends_the_message() {
        for bytes in [
            &[0x08][..],
            &[0x08, 0x80],
            &[0x12, 2, 7],
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0x0b, 0x0c], // a group
            &[0x0d, 0, 0, 0],
            &[0x00, 0x00], // field 0
            &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            &[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        ] {
            assert_eq!(fields(bytes), [Err(Error::Wire)], "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for value in [1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, 7, value);
            put_bytes(&mut out, 1, b"key");
            assert_eq!(
                fields(&out),
                [Ok((7, Value::Varint(value))), Ok((1, Value::Bytes(b"key")))]
            );
        }
        let mut out = Vec::new();
        put_varint(&mut out, 7, 0);
        assert!(out.is_empty());
    }
}

//! What several types here would otherwise repeat.

/// A type that is wiped when dropped and prints its name only. Its secret is the array in one field.
macro_rules! wiped {
    ($name:ident, $field:tt) => {
        impl Drop for $name {
            fn drop(&mut self) {
                zeroize::Zeroize::zeroize(self.$field.as_mut_slice());
            }
        }

        impl zeroize::ZeroizeOnDrop for $name {}

        silent!($name);
    };
}

/// `Debug` that says nothing.
macro_rules! silent {
    ($name:ident) => {
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

/// Equality in constant time, over the array in one field.
macro_rules! compared {
    ($name:ident, $field:tt) => {
        impl subtle::ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> subtle::Choice {
                self.$field.ct_eq(&other.$field)
            }
        }

        impl PartialEq for $name {
            /// In constant time.
            fn eq(&self, other: &Self) -> bool {
                subtle::ConstantTimeEq::ct_eq(self, other).into()
            }
        }

        impl Eq for $name {}
    };
}

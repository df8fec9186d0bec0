//! What several types here would otherwise repeat.

/// A small number within bounds.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident: $min:literal..=$max:literal $unit:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u8);

        impl $name {
            #[doc = concat!("The most: ", $max, " ", stringify!($unit), ".")]
            pub const MAX: Self = Self($max);

            #[doc = concat!("So many ", stringify!($unit), ": ", $min, " to ", $max, ".")]
            ///
            /// # Errors
            /// When the number is not within that.
            pub const fn new(number: u8) -> Result<Self, Invalid> {
                if matches!(number, $min..=$max) { Ok(Self(number)) } else { Err(Invalid::$name) }
            }

            #[doc = concat!("How many ", stringify!($unit), ": ", $min, " to ", $max, ".")]
            pub const fn $unit(self) -> u8 {
                self.0
            }
        }
    };
}

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

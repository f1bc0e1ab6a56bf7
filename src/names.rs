//! Names of reasons, which reports, logs and counters show.

/// One table gives an enum its names and a list of all that have one, so that none can lack either. Variants that hold something
/// are named after `or`, and are not in the list.
macro_rules! names {
    ($type:ident { $($variant:ident => $name:literal,)+ } $(or { $($held:pat => $held_name:expr,)+ })?) => {
        impl $type {
            #[doc = "All of them that hold nothing."]
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[doc = "Its name in reports and counters."]
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    $($($held => $held_name,)+)?
                }
            }
        }
    };
}

pub(crate) use names;

//! Names of reasons, which reports, logs and counters show.

/// One table gives an enum its names and a list of all that have one, so that none can lack either. A variant
/// that holds another enum has a row for each of its variants.
macro_rules! names {
    ($type:ident { $($variant:ident $(($held:path))? => $name:expr,)+ }) => {
        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant $(($held))?),+];

            /// Its name in reports and counters.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant $(($held))? => $name,)+
                }
            }
        }
    };
}

pub(crate) use names;

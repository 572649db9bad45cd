//! The classes of text fields. A class says what its texts may contain, how an entrance brings them into canonical
//! form, and how long they may be, in characters (code points in NFC).
//!
//! | class | content | length |
//! | --- | --- | --- |
//! | [`PersonName`] | DIN 91379 data type A; may be empty, because a person may have no given name | 200 |
//! | [`PlaceName`] | data type B; may be empty where a place is optional | 200 |
//! | [`PostalCode`] | data type B; may be empty | 20 |
//! | [`DatatypeA`] … [`DatatypeE`] | a data type of DIN 91379 as it is; may be empty | 4096 |
//! | [`Reference`] | one line of free text, for codes and identifiers | 200 |
//! | [`Title`] | one line of free text, for names of authorities and things | 200 |
//! | [`Paragraph`] | one line of free text, for reasons and legal bases | 1000 |
//! | [`FieldValue`] | one line of free text, for a value of evidence; may be empty | 4096 |
//!
//! [`crate::content`] says what free text is.

use crate::content::{Class, Content, Public};
use crate::din91379::Datatype;
use crate::text::Text;

macro_rules! classes {
    ($($(#[$documentation:meta])+ $name:ident: $content:expr, $max:expr, personal: $personal:expr;)+) => {$(
        $(#[$documentation])+
        pub type $name = Text<marker::$name>;

        impl Class for marker::$name {
            const NAME: &'static str = stringify!($name);
            const CONTENT: Content = $content;
            const MAX: usize = $max;
            const PERSONAL: bool = $personal;
        }
    )+

    /// The types that stand for the classes.
    pub mod marker {
        $(
            #[doc = concat!("The class of [`", stringify!($name), "`](super::", stringify!($name), ").")]
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name;
        )+
    }};
}

classes! {
    /// A family name or the given names of a person; empty if the person has none.
    PersonName: Content::Name(Datatype::A), 200, personal: true;
    /// The place where a person lives; empty if not given.
    PlaceName: Content::Name(Datatype::B), 200, personal: true;
    /// A postal code, also a foreign one; empty if not given.
    PostalCode: Content::Name(Datatype::B), 20, personal: true;
    /// Data type A of DIN 91379.
    DatatypeA: Content::Exact(Datatype::A), 4096, personal: true;
    /// Data type B of DIN 91379.
    DatatypeB: Content::Exact(Datatype::B), 4096, personal: true;
    /// Data type C of DIN 91379.
    DatatypeC: Content::Exact(Datatype::C), 4096, personal: true;
    /// Data type D of DIN 91379.
    DatatypeD: Content::Exact(Datatype::D), 4096, personal: true;
    /// Data type E of DIN 91379.
    DatatypeE: Content::Exact(Datatype::E), 4096, personal: true;
    /// A code, an identifier or a reference number.
    Reference: Content::Free, 200, personal: false;
    /// The name of an authority or of a thing.
    Title: Content::Free, 200, personal: false;
    /// A reason, an occasion or a legal basis.
    Paragraph: Content::Free, 1000, personal: false;
    /// A value of evidence; empty if the register has none.
    FieldValue: Content::Optional, 4096, personal: true;
}

impl Public for marker::Reference {}
impl Public for marker::Title {}
impl Public for marker::Paragraph {}

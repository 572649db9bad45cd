//! Fira Sans as WOFF 2 files: three weights, each as Latin and as further Latin letters. `assets/vendor/README.md` says
//! where they come from. Documents use two of the weights, web pages all of them.

macro_rules! font {
    ($weight:literal) => {
        [font!($weight, "latin"), font!($weight, "latin-ext")]
    };
    ($weight:literal, $subset:literal) => {
        include_bytes!(concat!(
            "../assets/vendor/fira-sans/5.3.0/fira-sans-",
            $subset,
            "-",
            $weight,
            "-normal.woff2"
        ))
    };
}

/// The weight 400.
pub const REGULAR: [&[u8]; 2] = font!("400");
/// The weight 500.
pub const MEDIUM: [&[u8]; 2] = font!("500");
/// The weight 600.
pub const BOLD: [&[u8]; 2] = font!("600");

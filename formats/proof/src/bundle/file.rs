//! The file form. It is compressed, because the records of one person are similar. Parsing is strict nevertheless: the
//! file states the uncompressed length, which is bounded; the stream must end with the file; and the CBOR must be
//! deterministic.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use record::cbor;

use super::error::{BundleError, MAX_CONTENT};
use super::{Bundle, FORMAT};

/// The compression level, which is zlib's default.
const LEVEL: u8 = 6;

impl Bundle {
    /// Encodes the file form.
    ///
    /// # Errors
    /// [`BundleError::TooLong`] when the content is longer than [`MAX_CONTENT`]: every reader would refuse the file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BundleError> {
        let content = cbor::to_vec(self);
        let length = u32::try_from(content.len())
            .ok()
            .filter(|_| content.len() <= MAX_CONTENT)
            .ok_or(BundleError::TooLong(content.len()))?;
        let compressed = compress_to_vec_zlib(&content, LEVEL);
        Ok([FORMAT, &length.to_be_bytes(), &compressed].concat())
    }

    /// Parses the file form.
    ///
    /// # Errors
    /// [`BundleError::Format`] for all bytes that [`Bundle::to_bytes`] would not have written, except that it accepts
    /// any valid compression of the content.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let content = inflate(bytes).map_err(|what| BundleError::Format(what.to_owned()))?;
        cbor::from_slice(&content).map_err(|error| BundleError::Format(error.to_string()))
    }
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let rest = bytes.strip_prefix(FORMAT).ok_or("another type of file")?;
    let (length, compressed) = rest.split_first_chunk().ok_or("cut off")?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > MAX_CONTENT {
        return Err("too long");
    }
    let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_COMPUTE_ADLER32 | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut content = vec![0; length];
    let (status, read, written) = decompress(&mut DecompressorOxide::new(), compressed, &mut content, 0, flags);
    if status == TINFLStatus::Done && read == compressed.len() && written == length {
        Ok(content)
    } else {
        Err("not the compressed bytes that were announced")
    }
}

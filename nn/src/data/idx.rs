//! IDX files: the format of MNIST's.
//!
//! ```text
//! 0     two zeros
//! 2     the type of the elements: 8 u8, 9 i8, 11 i16, 12 i32, 13 f32, 14 f64
//! 3     the number of axes, r
//! 4     r sizes of 4 bytes
//! 4+4r  the elements, in row-major order
//! ```
//!
//! Sizes and elements have their most significant byte first. See <https://yann.lecun.com/exdb/mnist/>.

use super::error::DataError;
use super::source::Source;
use autograd::{Dims, MAX_RANK, Number, Tensor};
use std::path::Path;

/// Reads an IDX file, plain or packed by gzip, with its elements as they are: bytes are numbers from 0 to 255. What
/// `T` cannot hold exactly is rounded, but a file of fractions is not read as integers.
///
/// ```
/// # let path = std::env::temp_dir().join(format!("chainrule-doc-{}.idx", std::process::id()));
/// // Two axes of bytes: 2 rows of 3.
/// std::fs::write(&path, [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255])?;
/// let x = nn::data::read_idx::<f32>(&path)?;
/// assert_eq!(*x.shape(), [2, 3]);
/// assert_eq!(x.to_vec(), [1.0, 2.0, 3.0, 4.0, 5.0, 255.0]);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file cannot be read or is no IDX file, or its header promises more or less than follows. A packed file
/// that unpacks to more than 1 GiB is refused.
pub fn read_idx<T: Number>(path: impl AsRef<Path>) -> Result<Tensor<T>, DataError> {
    let mut source = Source::open(path.as_ref())?;
    let header = Header::read(&mut source)?;
    if matches!(header.kind, Kind::F32 | Kind::F64) && T::from_f64(0.5) == T::ZERO {
        return Err(source.malformed(2, format!("elements of type {:?}", header.kind), "integers"));
    }
    let bytes = header.elements(&mut source)?;
    Ok(header.kind.decode(&bytes, header.shape))
}

/// What the elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    I8,
    I16,
    I32,
    F32,
    F64,
}

impl Kind {
    fn of(code: u8) -> Option<Kind> {
        Some(match code {
            8 => Kind::U8,
            9 => Kind::I8,
            11 => Kind::I16,
            12 => Kind::I32,
            13 => Kind::F32,
            14 => Kind::F64,
            _ => return None,
        })
    }

    fn width(self) -> usize {
        match self {
            Kind::U8 | Kind::I8 => 1,
            Kind::I16 => 2,
            Kind::I32 | Kind::F32 => 4,
            Kind::F64 => 8,
        }
    }

    fn decode<T: Number>(self, bytes: &[u8], shape: Dims) -> Tensor<T> {
        fn each<T: Number, const N: usize>(bytes: &[u8], shape: Dims, f: impl Fn([u8; N]) -> f64) -> Tensor<T> {
            let (elements, _) = bytes.as_chunks::<N>();
            Tensor::from_fn(shape, |i| T::from_f64(f(elements[i])))
        }
        match self {
            Kind::U8 => each(bytes, shape, |[byte]| f64::from(byte)),
            Kind::I8 => each(bytes, shape, |x| f64::from(i8::from_be_bytes(x))),
            Kind::I16 => each(bytes, shape, |x| f64::from(i16::from_be_bytes(x))),
            Kind::I32 => each(bytes, shape, |x| f64::from(i32::from_be_bytes(x))),
            Kind::F32 => each(bytes, shape, |x| f64::from(f32::from_be_bytes(x))),
            Kind::F64 => each(bytes, shape, f64::from_be_bytes),
        }
    }
}

/// The beginning of a file.
pub(super) struct Header {
    pub kind: Kind,
    pub shape: Dims,
}

impl Header {
    /// Reads and checks it.
    pub fn read(source: &mut Source) -> Result<Header, DataError> {
        let magic = source.bytes(4, "the magic number")?;
        let [0, 0, kind, rank] = magic[..] else {
            let found = format!("a magic number of {magic:02x?}");
            return Err(source.malformed(0, found, "an IDX file, which begins with two zeros"));
        };
        let Some(kind) = Kind::of(kind) else {
            let expected = "8 (u8), 9 (i8), 11 (i16), 12 (i32), 13 (f32) or 14 (f64)";
            return Err(source.malformed(2, format!("elements of type {kind}"), expected));
        };
        if !(1..=MAX_RANK).contains(&usize::from(rank)) {
            return Err(source.malformed(3, format!("{rank} axes"), format!("1 to {MAX_RANK}")));
        }
        let sizes = source.bytes(4 * u64::from(rank), "sizes")?;
        let sizes = sizes.as_chunks().0.iter().map(|&size| u32::from_be_bytes(size) as usize);
        let header = Header { kind, shape: sizes.collect() };
        if header.count().is_none() {
            let found = format!("sizes {}, more bytes than can be counted", header.shape);
            return Err(source.malformed(4, found, "the sizes of what follows"));
        }
        Ok(header)
    }

    /// How many bytes the elements take, if that can be counted. An empty axis hides no other: strides are counted too.
    fn count(&self) -> Option<usize> {
        let strides = self.shape.iter().try_fold(self.kind.width(), |count, &size| count.checked_mul(size.max(1)))?;
        isize::try_from(strides).ok()?;
        Some(if self.shape.contains(&0) { 0 } else { strides })
    }

    /// Reads the elements, which end the file.
    pub fn elements(&self, source: &mut Source) -> Result<Vec<u8>, DataError> {
        let count = self.count().expect("counted by `read`") as u64;
        let what = format!("elements of type {:?} and shape {}", self.kind, self.shape);
        let bytes = source.bytes(count, &what)?;
        source.end()?;
        Ok(bytes)
    }

    /// Where the elements begin.
    pub fn len(&self) -> u64 {
        4 + 4 * self.shape.len() as u64
    }
}

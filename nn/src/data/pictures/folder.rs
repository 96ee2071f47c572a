//! A folder of pictures: a folder for each class.

use super::picture::Picture;
use crate::data::error::DataError;
use crate::data::labelled::{LabelledImages, images_of};
use autograd::Tensor;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// The most bytes that one picture may decode to.
const MOST_BYTES: u64 = 256 << 20;
/// The most bytes of pixels that a byte of a file stands for: deflate's 1032, of pixels that take a bit in the file and
/// 16 when they are decoded, or of three channels from one.
const MOST_A_BYTE: u64 = 1032 * 24;

/// Which channels the images have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channels {
    /// One. Of colours, 0.2126 red + 0.7152 green + 0.0722 blue.
    Grey,
    /// Red, green and blue. What is transparent is shown as if it were not.
    #[default]
    Rgb,
}

/// How pictures become images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageFolderOptions {
    /// Which channels the images have.
    pub channels: Channels,
    /// The height and width that pictures are brought to, by linear interpolation, of means where they shrink; none,
    /// if they all have one size and keep it.
    pub resize: Option<(usize, usize)>,
}

/// Pictures from files, by class.
#[derive(Clone, Debug)]
pub struct ImageFolder {
    /// Images `[N, C, H, W]` with values from 0 to 1, and the classes' numbers.
    pub examples: LabelledImages,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The file of each image.
    pub paths: Vec<PathBuf>,
}

impl ImageFolder {
    /// Reads the PNG and JPEG files (`.png`, `.jpg`, `.jpeg`) of a folder that has a folder for each class, as
    /// `torchvision.datasets.ImageFolder`: classes are numbered in the order of their names, and their images follow
    /// each other in the order of theirs. Other files are passed over; so is how a camera was held (EXIF).
    ///
    /// # Errors
    /// If there are no classes, or one has no pictures; if a file cannot be read, is cut off or broken, or has another
    /// size than the first without being resized, or more than 256 MiB of pixels.
    ///
    /// # Panics
    /// If they are to be resized to nothing.
    #[track_caller]
    pub fn read(folder: impl AsRef<Path>, options: &ImageFolderOptions) -> Result<ImageFolder, DataError> {
        if let Some((height, width)) = options.resize {
            assert!(height > 0 && width > 0, "ImageFolder: pictures of {height} × {width}");
        }
        let folder = folder.as_ref();
        let classes = list(folder, |path| path.is_dir())?;
        if classes.is_empty() {
            return Err(wrong(folder, "no folders in it", "a folder for each class"));
        }
        let (mut labels, mut paths) = (Vec::new(), Vec::new());
        for (label, class) in classes.iter().enumerate() {
            let of_class = list(class, is_picture)?;
            if of_class.is_empty() {
                return Err(wrong(class, "no pictures in it", "files *.png, *.jpg or *.jpeg"));
            }
            labels.resize(labels.len() + of_class.len(), label as i64);
            paths.extend(of_class);
        }
        let name = |class: &PathBuf| class.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let examples = LabelledImages { images: images(&paths, options)?, labels: Tensor::of(labels) };
        Ok(ImageFolder { examples, classes: classes.iter().map(name).collect(), paths })
    }
}

/// What a folder has that is `wanted`, by name.
fn list(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(DataError::io(folder))? {
        let path = entry.map_err(DataError::io(folder))?.path();
        if wanted(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_picture(path: &Path) -> bool {
    let is = |extension: &str| ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known));
    path.extension().and_then(|extension| extension.to_str()).is_some_and(is) && path.is_file()
}

/// The pictures of these files: `[N, C, H, W]`.
fn images(paths: &[PathBuf], options: &ImageFolderOptions) -> Result<Tensor, DataError> {
    let mut bytes = Vec::new(); // [N, H, W, C]
    let mut size = options.resize;
    for path in paths {
        let picture = Picture::read(path, options.channels, options.resize, size)?;
        size = Some((picture.height, picture.width));
        bytes.extend_from_slice(&picture.bytes);
    }
    let (height, width) = size.expect("a class has pictures");
    let channels = if options.channels == Channels::Grey { 1 } else { 3 };
    Ok(images_of([paths.len(), channels, height, width], |row| {
        let (image, channel, y) = (row / (channels * height), row / height % channels, row % height);
        bytes[(image * height + y) * width * channels..][..width * channels]
            .iter()
            .skip(channel)
            .step_by(channels)
            .copied()
    }))
}

impl Picture {
    /// Reads a PNG or JPEG file, resizes it if wanted, and refuses another `(height, width)` than `expected`.
    fn read(
        path: &Path,
        channels: Channels,
        resize: Option<(usize, usize)>,
        expected: Option<(usize, usize)>,
    ) -> Result<Picture, DataError> {
        let file = fs::read(path).map_err(DataError::io(path))?;
        let mut reader = ImageReader::new(Cursor::new(&file));
        reader = reader.with_guessed_format().map_err(DataError::io(path))?;
        reader.limits({
            let mut limits = Limits::default();
            limits.max_alloc = Some(2 * MOST_BYTES);
            limits
        });
        let broken = |error: ImageError| wrong(path, error.to_string(), "a PNG or JPEG file");
        let Some(format @ (ImageFormat::Png | ImageFormat::Jpeg)) = reader.format() else {
            return Err(wrong(path, "its first bytes are of another kind of file", "a PNG or JPEG file"));
        };
        if !is_whole(&file, format) {
            return Err(wrong(path, format!("{} bytes without an end mark", file.len()), "a whole file"));
        }
        let decoder = reader.into_decoder().map_err(broken)?;
        let (width, height) = decoder.dimensions();
        let of_file = (height as usize, width as usize);
        if resize.is_none()
            && let Some((rows, columns)) = expected
            && of_file != (rows, columns)
        {
            let expected = format!("{rows} × {columns} as the first, or a size to bring them all to");
            return Err(wrong(path, format!("a picture of {height} × {width}"), expected));
        }
        let most = MOST_BYTES.min(MOST_A_BYTE * file.len() as u64);
        if decoder.total_bytes() > most {
            let found = format!("a picture of {height} × {width}, which takes {} bytes", decoder.total_bytes());
            return Err(wrong(path, found, format!("at most {most} from a file of {}", file.len())));
        }
        let mut decoded = DynamicImage::from_decoder(decoder).map_err(broken)?;
        // Only here, in 8 bits, so that all kinds of files are resized alike.
        decoded = match channels {
            Channels::Grey => decoded.into_luma8().into(),
            Channels::Rgb => decoded.into_rgb8().into(),
        };
        if let Some((height, width)) = resize.filter(|&size| size != of_file) {
            decoded = decoded.resize_exact(width as u32, height as u32, FilterType::Triangle);
        }
        let (width, height) = (decoded.width() as usize, decoded.height() as usize);
        let channels = decoded.color().channel_count().into();
        Ok(Picture { width, height, channels, bytes: decoded.into_bytes() })
    }
}

/// Whether a file has its end mark. Decoders are content without: of a JPEG file that is cut off, they make up the
/// rest.
fn is_whole(file: &[u8], format: ImageFormat) -> bool {
    let last = |mark: &[u8]| file.windows(mark.len()).rposition(|bytes| bytes == mark);
    match format {
        ImageFormat::Png => last(b"IEND\xae\x42\x60\x82").is_some(),
        // Behind the last scan, because a thumbnail has an end mark, too. Among a scan's data, neither mark occurs.
        _ => last(b"\xff\xd9") > last(b"\xff\xda"),
    }
}

fn wrong(path: &Path, found: impl Into<String>, expected: impl Into<String>) -> DataError {
    DataError::Picture { path: path.to_path_buf(), found: found.into(), expected: expected.into() }
}

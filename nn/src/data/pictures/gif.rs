//! Moving pictures.

use super::picture::Picture;
use crate::data::error::DataError;
use crate::files::write_at_one_stroke;
use gif::{Encoder, Frame, Repeat};
use std::io;
use std::path::Path;
use std::time::Duration;

/// Writes pictures of one size as a GIF that shows each for `delay`, to hundredths of a second, and begins again
/// after the last. Grey pictures keep their values; of colours, each picture keeps the 256 that suit it best. Whoever
/// is killed half-way leaves the old file, if any, whole.
///
/// # Errors
/// If the file cannot be written.
///
/// # Panics
/// If there are no pictures, their sizes differ, some are grey and some are not, or they have more than 65,535
/// columns or rows.
#[track_caller]
pub fn save_gif(path: impl AsRef<Path>, pictures: &[Picture], delay: Duration) -> Result<(), DataError> {
    let size = |picture: &Picture| (picture.width, picture.height, picture.channels);
    let first = pictures.first().map(size).expect("save_gif: no pictures");
    let odd = pictures.iter().position(|picture| size(picture) != first);
    assert!(
        odd.is_none(),
        "save_gif: (width, height, channels) of picture {} are {:?}, of the first {first:?}",
        odd.unwrap_or(0),
        size(&pictures[odd.unwrap_or(0)])
    );
    let [width, height] = [first.0, first.1].map(|pixels| {
        u16::try_from(pixels)
            .unwrap_or_else(|_| panic!("save_gif: {pixels} pixels in a row or column; 65535 would fit"))
    });
    let grey = first.2 == 1;
    let delay = u16::try_from((delay.as_millis() + 5) / 10).unwrap_or(u16::MAX);
    let write = |file: &mut dyn io::Write| -> Result<(), gif::EncodingError> {
        let palette: Vec<u8> = if grey { (0..=255).flat_map(|grey| [grey; 3]).collect() } else { Vec::new() };
        let mut encoder = Encoder::new(file, width, height, &palette)?;
        encoder.set_repeat(Repeat::Infinite)?;
        for picture in pictures {
            let frame = if grey {
                Frame { width, height, buffer: (&picture.bytes[..]).into(), ..Default::default() }
            } else {
                Frame::from_rgb_speed(width, height, &picture.bytes, 10)
            };
            encoder.write_frame(&Frame { delay, ..frame })?;
        }
        // What writes the end of the file.
        encoder.into_inner()?;
        Ok(())
    };
    let write = |file: &mut dyn io::Write| write(file).map_err(io::Error::other);
    write_at_one_stroke(path.as_ref(), write).map_err(DataError::io(path.as_ref()))
}

//! Pictures in files: PNG, JPEG and GIF.

mod folder;
mod gif;
mod picture;

pub use folder::{Channels, ImageFolder, ImageFolderOptions};
pub use gif::save_gif;
pub use picture::Picture;

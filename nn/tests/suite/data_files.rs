//! Files of images that lie: whatever bytes stand in them, reading gives what they say or an error that names the file
//! and the place.

use autograd::{Rng, Tensor};
use flate2::Compression;
use flate2::write::GzEncoder;
use nn::data::{
    Channels, DataError, ImageFolder, ImageFolderOptions, Picture, read_cifar10, read_cifar10_batch, read_cifar100,
    read_cifar100_batch, read_idx, read_mnist, read_mnist_pair, save_gif,
};
use proptest::prelude::*;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A folder of its own, gone at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("chainrule-data-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(kind: u8, sizes: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, sizes.len() as u8];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

/// Three images of 2 × 4 and their labels.
fn pair() -> [Vec<u8>; 2] {
    [idx(8, &[3, 2, 4], &(0..24).map(|i| i * 10).collect::<Vec<u8>>()), idx(8, &[3], &[9, 0, 4])]
}

#[test]
fn every_type_of_idx_is_read() {
    let scratch = Scratch::new("types");
    let read = |kind: u8, elements: &[u8]| {
        let path = scratch.file("x", &idx(kind, &[2, 1], elements));
        let x = read_idx::<f64>(&path).unwrap();
        assert_eq!(*x.shape(), [2, 1]);
        let packed = scratch.file("x.gz", &gzip(&idx(kind, &[2, 1], elements)));
        assert_eq!(read_idx::<f64>(&packed).unwrap().to_vec(), x.to_vec());
        (x.to_vec(), read_idx::<i64>(&path).map(|x| x.to_vec()).map_err(|error| error.to_string()))
    };
    assert_eq!(read(8, &[0, 255]), (vec![0.0, 255.0], Ok(vec![0, 255])));
    assert_eq!(read(9, &[1, 255]), (vec![1.0, -1.0], Ok(vec![1, -1])));
    assert_eq!(read(11, &[1, 2, 255, 254]), (vec![258.0, -2.0], Ok(vec![258, -2])));
    let least = i32::MIN.to_be_bytes();
    assert_eq!(
        read(12, &[&[1, 0, 0, 0], &least[..]].concat()),
        (vec![16777216.0, -2147483648.0], Ok(vec![1 << 24, -1 << 31]))
    );
    let (single, error) = read(13, &[0.5_f32.to_be_bytes(), (-2.25_f32).to_be_bytes()].concat());
    assert_eq!(single, [0.5, -2.25]);
    assert!(error.unwrap_err().ends_with("x, byte 2: elements of type F32; expected integers"));
    let (double, error) = read(14, &[0.1_f64.to_be_bytes(), f64::MAX.to_be_bytes()].concat());
    assert_eq!(double, [0.1, f64::MAX]);
    assert!(error.unwrap_err().ends_with("x, byte 2: elements of type F64; expected integers"));

    // Eight axes, an empty one, and members that follow each other in a packed file.
    let path = scratch.file("x", &idx(8, &[1, 1, 1, 1, 1, 1, 2, 1], &[7, 8]));
    assert_eq!(*read_idx::<f32>(&path).unwrap().shape(), [1, 1, 1, 1, 1, 1, 2, 1]);
    let path = scratch.file("x", &idx(8, &[2, 0, 3], &[]));
    assert_eq!(*read_idx::<f32>(&path).unwrap().shape(), [2, 0, 3]);
    let whole = idx(8, &[4], &[1, 2, 3, 4]);
    let path = scratch.file("x", &[gzip(&whole[..9]), gzip(&whole[9..])].concat());
    assert_eq!(read_idx::<f32>(&path).unwrap().to_vec(), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn mnist_is_read_plain_and_packed() {
    let scratch = Scratch::new("mnist");
    let [images, labels] = pair();
    scratch.file("train-images-idx3-ubyte", &images);
    scratch.file("train-labels-idx1-ubyte.gz", &gzip(&labels));
    scratch.file("t10k-images-idx3-ubyte.gz", &gzip(&images));
    scratch.file("t10k-labels-idx1-ubyte", &labels);
    let mnist = read_mnist(&scratch.0).unwrap();
    for part in [&mnist.train, &mnist.test] {
        assert_eq!(*part.images.shape(), [3, 1, 2, 4]);
        assert_eq!(part.images.to_vec(), (0..24).map(|i| i as f32 * 10.0 / 255.0).collect::<Vec<_>>());
        assert_eq!(part.labels.to_vec(), [9, 0, 4]);
        assert_eq!(nn::data::Dataset::len(&part.dataset()), part.len());
    }
    fs::remove_file(scratch.0.join("t10k-labels-idx1-ubyte")).unwrap();
    let error = read_mnist(&scratch.0).unwrap_err();
    assert!(matches!(&error, DataError::Io { path, .. } if path.ends_with("t10k-labels-idx1-ubyte")), "{error}");
}

/// What reading `bytes` says, after the name of the file.
fn refusal<T>(bytes: &[u8], read: impl Fn(&Path) -> Result<T, DataError>) -> String {
    let name = format!("lie-{:?}", std::thread::current().id());
    let scratch = Scratch::new(&name);
    let path = scratch.file("x", bytes);
    let error = read(&path).err().expect("taken for good").to_string();
    error.strip_prefix(&path.display().to_string()).unwrap_or_else(|| panic!("no file in: {error}")).to_string()
}

#[test]
fn every_lie_of_an_idx_file_is_named() {
    let read = |bytes: &[u8]| refusal(bytes, |path| read_idx::<f32>(path));
    assert_eq!(read(&[]), ", byte 0: the file ends here; expected 4 bytes of the magic number from byte 0");
    assert_eq!(
        read(&[8, 0, 8, 1, 0]),
        ", byte 0: a magic number of [08, 00, 08, 01]; expected an IDX file, which begins with two zeros"
    );
    assert_eq!(
        read(&[0, 0, 10, 1, 0]),
        ", byte 2: elements of type 10; expected 8 (u8), 9 (i8), 11 (i16), 12 (i32), 13 (f32) or 14 (f64)"
    );
    assert_eq!(read(&[0, 0, 8, 0, 1]), ", byte 3: 0 axes; expected 1 to 8");
    assert_eq!(read(&[0, 0, 8, 9, 1]), ", byte 3: 9 axes; expected 1 to 8");
    assert_eq!(read(&[0, 0, 8, 2, 0, 0, 0]), ", byte 7: the file ends here; expected 8 bytes of sizes from byte 4");

    // Sizes that lie: too much, too little, more than can be counted, also behind an empty axis.
    let most = u32::MAX;
    assert_eq!(
        read(&idx(13, &[2, 2], &[0; 15])),
        ", byte 27: the file ends here; expected 16 bytes of elements of type F32 and shape [2, 2] from byte 12"
    );
    assert_eq!(read(&idx(8, &[2, 2], &[0; 5])), ", byte 16: more bytes; expected the end of the file");
    assert_eq!(
        read(&idx(8, &[most, 1 << 20], &[0; 5])),
        ", byte 17: the file ends here; expected 4503599626321920 bytes of elements of type U8 and shape \
         [4294967295, 1048576] from byte 12"
    );
    let beyond = "more bytes than can be counted; expected the sizes of what follows";
    assert_eq!(read(&idx(8, &[most, most, 1], &[])), format!(", byte 4: sizes [4294967295, 4294967295, 1], {beyond}"));
    assert_eq!(
        read(&idx(14, &[0, most, most, 0], &[])),
        format!(", byte 4: sizes [0, 4294967295, 4294967295, 0], {beyond}")
    );
}

#[test]
fn every_lie_of_a_packed_file_is_named() {
    let read = |bytes: &[u8]| refusal(bytes, |path| read_idx::<f32>(path));
    let elements: Vec<u8> = (0..1000_u32).map(|i| (i * i % 251) as u8).collect();
    let good = gzip(&idx(8, &[1000], &elements));

    // However much of it is there.
    for length in 2..good.len() {
        let error = read(&good[..length]);
        assert!(error.contains("of what it unpacks to: the file ends here; expected "), "{length}: {error}");
    }
    let mut wrong = good.clone();
    let checksum = wrong.len() - 8;
    wrong[checksum] ^= 1;
    let error = read(&wrong);
    assert!(error.starts_with(", byte 1008 of what it unpacks to: corrupt gzip stream"), "{error}");
    let error = read(&[0x1f, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(
        error.ends_with("; expected 4 bytes of the magic number from byte 0 of what it unpacks to, packed by gzip"),
        "{error}"
    );
    let error = read(&[&good[..], b"more"].concat());
    assert!(error.starts_with(", byte 1008 of what it unpacks to: "), "{error}");

    // Ten megabytes of zeros from ten kilobytes, which the sizes do not mention; and sizes beyond any data set.
    let bomb = gzip(&idx(8, &[4], &vec![0; 10_000_000]));
    assert!(bomb.len() < 11_000);
    assert_eq!(read(&bomb), ", byte 12 of what it unpacks to: more bytes; expected the end of the file");
    assert_eq!(
        read(&gzip(&idx(8, &[1 << 20, 1 << 20], &[0; 100]))),
        ", byte 12 of what it unpacks to: 1099511627776 bytes of elements of type U8 and shape [1048576, 1048576]; \
         expected a packed file to unpack to at most 1073741824 bytes"
    );
    assert_eq!(
        read(&gzip(&idx(8, &[1 << 29], &[0; 100]))),
        ", byte 108 of what it unpacks to: the file ends here; expected 536870912 bytes of elements of type U8 and \
         shape [536870912] from byte 8 of what it unpacks to"
    );
}

#[test]
fn images_and_labels_must_belong_together() {
    let scratch = Scratch::new("pairs");
    let [images, labels] = pair();
    let read = |images: &[u8], labels: &[u8]| {
        let [images, labels] = [scratch.file("images", images), scratch.file("labels", labels)];
        let folder = format!("{}/", scratch.0.display());
        read_mnist_pair(images, labels, 10).map(|_| ()).map_err(|error| error.to_string().replace(&folder, ""))
    };
    assert_eq!(read(&images, &labels), Ok(()));
    assert_eq!(
        read(&images, &idx(8, &[2], &[1, 2])).unwrap_err(),
        "images has 3 images, and labels has 2 labels; expected one for each"
    );
    assert_eq!(
        read(&images, &idx(8, &[3], &[1, 2, 10])).unwrap_err(),
        "labels, byte 10: label 10; expected one of the 10 classes, which are numbered from 0"
    );
    // The two in the wrong order, and elements of another type.
    assert_eq!(
        read(&labels, &images).unwrap_err(),
        "images, byte 2: elements of type U8 with 1 axes; expected images: U8 with 3"
    );
    assert_eq!(
        read(&images, &idx(12, &[1], &[0; 4])).unwrap_err(),
        "labels, byte 2: elements of type I32 with 1 axes; expected labels: U8 with 1"
    );
}

/// A record of CIFAR: labels, and pixels that count on from the first one.
fn record(labels: &[u8], first: usize) -> Vec<u8> {
    labels.iter().copied().chain((0..3072).map(|i| ((first + i) % 256) as u8)).collect()
}

#[test]
fn cifar_is_read() {
    let scratch = Scratch::new("cifar");
    for i in 1..=5 {
        let records = [record(&[i], i as usize), record(&[i + 1], 2)].concat();
        scratch.file(&format!("cifar-10-batches-bin/data_batch_{i}.bin"), &records);
    }
    scratch.file("cifar-10-batches-bin/test_batch.bin", &record(&[9], 77));
    let cifar = read_cifar10(&scratch.0).unwrap();
    assert_eq!(*cifar.train.images.shape(), [10, 3, 32, 32]);
    assert_eq!(cifar.train.labels.to_vec(), [1, 2, 2, 3, 3, 4, 4, 5, 5, 6]);
    let expected = |first: usize| (0..3072).map(|i| ((first + i) % 256) as f32 / 255.0).collect::<Vec<_>>();
    assert_eq!(cifar.train.images.narrow(0, 8, 1).to_vec(), expected(5));
    assert_eq!(cifar.test.images.to_vec(), expected(77));
    // The inner folder may be given, too.
    assert_eq!(read_cifar10(scratch.0.join("cifar-10-batches-bin")).unwrap().test.labels.to_vec(), [9]);

    scratch.file("cifar-100-binary/train.bin", &[record(&[19, 99], 5), record(&[0, 1], 6)].concat());
    scratch.file("cifar-100-binary/test.bin", &gzip(&record(&[3, 98], 8)));
    let cifar = read_cifar100(&scratch.0).unwrap();
    assert_eq!((cifar.train.coarse.to_vec(), cifar.train.fine.to_vec()), (vec![19, 0], vec![99, 1]));
    assert_eq!(cifar.train.images.narrow(0, 1, 1).to_vec(), expected(6));
    assert_eq!((cifar.test.images.to_vec(), cifar.test.fine.to_vec()), (expected(8), vec![98]));
}

#[test]
fn every_lie_of_a_cifar_file_is_named() {
    let ten = |bytes: &[u8]| refusal(bytes, |path| read_cifar10_batch(path));
    let hundred = |bytes: &[u8]| refusal(bytes, |path| read_cifar100_batch(path));
    assert_eq!(ten(&[]), ", byte 0: the file ends here; expected whole records of 3073 bytes");
    let two = [record(&[1], 0), record(&[2], 0)].concat();
    assert_eq!(ten(&two[..6000]), ", byte 6000: the file ends here; expected whole records of 3073 bytes");
    let classes = |n: usize| format!("expected one of the {n} classes, which are numbered from 0");
    assert_eq!(ten(&[record(&[9], 0), record(&[10], 0)].concat()), format!(", byte 3073: label 10; {}", classes(10)));
    assert_eq!(hundred(&record(&[20, 0], 0)), format!(", byte 0: label 20; {}", classes(20)));
    assert_eq!(
        hundred(&[record(&[0, 1], 0), record(&[0, 100], 0)].concat()),
        format!(", byte 3075: label 100; {}", classes(100))
    );
    let packed = gzip(&record(&[1], 0));
    let error = ten(&packed[..packed.len() - 9]);
    assert!(error.ends_with(" of what it unpacks to: the file ends here; expected records"), "{error}");
}

// ---- pictures ----

/// A picture of `height` × `width`, each channel with a slope of its own.
fn slopes(channels: usize, height: usize, width: usize) -> Tensor {
    Tensor::from_fn([channels, height, width], |i| {
        let (channel, y, x) = (i / (height * width), i / width % height, i % width);
        ((channel + 1) * (y * 7 + x * 3) % 256) as f32 / 255.0
    })
}

/// The bytes of a JPEG file of that picture.
fn jpeg(image: &Tensor) -> Vec<u8> {
    let (height, width) = (image.size(1) as u32, image.size(2) as u32);
    let bytes: Vec<u8> = image.permute([1, 2, 0]).iter().map(|x| (x * 255.0).round() as u8).collect();
    let mut file = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 100);
    let kind = if image.size(0) == 1 { image::ExtendedColorType::L8 } else { image::ExtendedColorType::Rgb8 };
    encoder.encode(&bytes, width, height, kind).unwrap();
    file
}

fn save_png(folder: &Scratch, name: &str, image: &Tensor) {
    let path = folder.file(name, b"");
    Picture::new(image, (0.0, 1.0)).save_png(path).unwrap();
}

#[test]
fn folders_of_pictures_are_read() {
    let scratch = Scratch::new("folder");
    let [a, b] = [slopes(3, 5, 7), slopes(3, 5, 7) * 0.5];
    let b = (b * 255.0).cast::<i64>().cast::<f32>() / 255.0;
    save_png(&scratch, "zebra/2.png", &a);
    save_png(&scratch, "zebra/1.PNG", &b);
    scratch.file("ant/x.jpeg", &jpeg(&a));
    scratch.file("ant/notes.txt", b"no picture");
    scratch.file("no-class.png", b"no picture");
    let folder = ImageFolder::read(&scratch.0, &ImageFolderOptions::default()).unwrap();
    assert_eq!(folder.classes, ["ant", "zebra"]);
    assert_eq!(folder.examples.labels.to_vec(), [0, 1, 1]);
    assert!(folder.paths[1].ends_with("zebra/1.PNG") && folder.paths[2].ends_with("zebra/2.png"));
    let images = &folder.examples.images;
    assert_eq!(*images.shape(), [3, 3, 5, 7]);
    assert_eq!(images.narrow(0, 1, 2).to_vec(), Tensor::stack(&[&b, &a], 0).to_vec());
    // JPEG at its best quality halves the resolution of colours: what stays is the brightness.
    let weights = Tensor::from([0.299, 0.587, 0.114]).reshape([3, 1, 1]);
    let brightness = |x: &Tensor| (x * &weights).sum(0);
    let off = (brightness(&images.narrow(0, 0, 1).squeeze(0)) - brightness(&a)).abs().mean(..).item();
    assert!(off < 0.05, "{off}");

    // In grey, at another size.
    let options = ImageFolderOptions { channels: Channels::Grey, resize: Some((4, 6)) };
    let grey = ImageFolder::read(&scratch.0, &options).unwrap().examples.images;
    assert_eq!(*grey.shape(), [3, 1, 4, 6]);
    let mean = |x: Tensor| x.mean(..).item();
    let weights = Tensor::from([0.2126, 0.7152, 0.0722]).reshape([3, 1, 1]);
    let expected = mean((&a * weights).sum(0));
    assert!((mean(grey.narrow(0, 2, 1)) - expected).abs() < 0.02);
}

#[test]
fn every_fault_of_a_folder_of_pictures_is_named() {
    let scratch = Scratch::new("folder-lies");
    let read = || {
        let error = ImageFolder::read(&scratch.0, &ImageFolderOptions::default()).expect_err("taken for good");
        error.to_string().replace(&format!("{}/", scratch.0.display()), "")
    };
    assert!(read().ends_with(": no folders in it; expected a folder for each class"));
    fs::create_dir(scratch.0.join("a")).unwrap();
    assert_eq!(read(), "a: no pictures in it; expected files *.png, *.jpg or *.jpeg");
    save_png(&scratch, "a/1.png", &slopes(1, 3, 4));
    save_png(&scratch, "a/2.png", &slopes(3, 4, 3));
    assert_eq!(read(), "a/2.png: a picture of 4 × 3; expected 3 × 4 as the first, or a size to bring them all to");
    scratch.file("a/2.png", b"GIF89a and so on");
    assert_eq!(read(), "a/2.png: its first bytes are of another kind of file; expected a PNG or JPEG file");
    for good in [fs::read(scratch.0.join("a/1.png")).unwrap(), jpeg(&slopes(3, 3, 4))] {
        for length in 0..good.len() {
            scratch.file("a/2.png", &good[..length]);
            assert!(read().starts_with("a/2.png: "), "{length}");
        }
        scratch.file("a/2.png", &good);
        assert!(ImageFolder::read(&scratch.0, &ImageFolderOptions::default()).is_ok());
    }
    // A header that says 30,000 × 30,000, checksum and all.
    let mut huge = fs::read(scratch.0.join("a/1.png")).unwrap();
    huge[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let mut crc = flate2::Crc::new();
    crc.update(&huge[12..29]);
    huge[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    scratch.file("a/1.png", &huge);
    let error = read();
    assert!(
        error.starts_with("a/1.png: a picture of 30000 × 30000, which takes 900000000 bytes; expected at most "),
        "{error}"
    );
}

#[test]
fn pictures_come_back_from_png_and_gif() {
    let scratch = Scratch::new("pictures");
    let path = scratch.0.join("x.png");
    for channels in [1, 3] {
        let picture = Picture::new(&slopes(channels, 9, 11), (0.0, 1.0));
        picture.save_png(&path).unwrap();
        let read = image::open(&path).unwrap();
        assert_eq!((read.width(), read.height()), (11, 9));
        let bytes = if channels == 1 { read.into_luma8().into_raw() } else { read.into_rgb8().into_raw() };
        let back = Tensor::from_fn([9, 11, channels], |i| f32::from(bytes[i]) / 255.0).permute([2, 0, 1]);
        assert_eq!(back.to_vec(), slopes(channels, 9, 11).to_vec());

        let frames: Vec<Picture> =
            (0..3).map(|i| Picture::new(&(slopes(channels, 9, 11) * (1.0 - i as f32 * 0.25)), (0.0, 1.0))).collect();
        let path = scratch.0.join("x.gif");
        save_gif(&path, &frames, Duration::from_millis(250)).unwrap();
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(fs::File::open(&path).unwrap()).unwrap();
        let mut count = 0;
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            assert_eq!((frame.width, frame.height, frame.delay), (11, 9, 25));
            let factor = 1.0 - count as f32 * 0.25;
            let scaled = slopes(channels, 9, 11).permute([1, 2, 0]) * factor;
            for (pixel, values) in frame.buffer.chunks(4).zip(scaled.to_vec().chunks(channels)) {
                for (i, &byte) in pixel[..3].iter().enumerate() {
                    assert_eq!(byte, (values[i % channels] * 255.0 + 0.5) as u8);
                }
            }
            count += 1;
        }
        assert_eq!((count, decoder.repeat()), (3, gif::Repeat::Infinite));
    }
}

#[test]
fn a_picture_that_cannot_be_written_names_its_file() {
    let scratch = Scratch::new("unwritable");
    let picture = Picture::new(&slopes(1, 2, 2), (0.0, 1.0));
    let path = scratch.0.join("none/x.png");
    let error = picture.save_png(&path).unwrap_err().to_string();
    assert!(error.starts_with(&path.display().to_string()), "{error}");
    assert!(save_gif(path, &[picture], Duration::ZERO).is_err());
}

#[test]
#[should_panic(expected = "save_gif: (width, height, channels) of picture 1 are (3, 2, 1), of the first (2, 2, 1)")]
fn pictures_of_several_sizes_make_no_gif() {
    let pictures = [2, 3].map(|width| Picture::new(&slopes(1, 2, width), (0.0, 1.0)));
    let _ = save_gif("never-written.gif", &pictures, Duration::ZERO);
}

// ---- any bytes at all ----

/// Bytes replaced by others, and where the file is cut, if it is.
type Damage = (Vec<(prop::sample::Index, u8)>, Option<prop::sample::Index>);

fn damage() -> impl Strategy<Value = Damage> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (changes, prop::option::of(any::<prop::sample::Index>()))
}

fn damaged(good: &[u8], (changes, cut): &Damage) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for (at, byte) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    bytes.truncate(cut.map_or(bytes.len(), |at| at.index(bytes.len())));
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_idx_files_are_read_or_refused(damage in damage(), packed: bool, kind in 7_u8..15) {
        let scratch = Scratch::new("damaged-idx");
        let good = idx(kind, &[2, 3], &[1; 6 * 8][..6 * [1, 1, 1, 1, 2, 4, 4, 8][usize::from(kind - 7)]]);
        let good = if packed { gzip(&good) } else { good };
        let path = scratch.file("x", &damaged(&good, &damage));
        match read_idx::<f32>(&path) {
            Ok(x) => prop_assert!(x.count() <= 48, "{}", x.shape()),
            Err(error) => prop_assert!(error.to_string().contains("damaged-idx"), "{}", error),
        }
    }

    #[test]
    fn damaged_pairs_are_read_or_refused(damage in damage(), which in 0..2_usize) {
        let scratch = Scratch::new("damaged-pair");
        let mut files = pair();
        files[which] = damaged(&files[which], &damage);
        let [images, labels] = [scratch.file("images", &files[0]), scratch.file("labels", &files[1])];
        match read_mnist_pair(images, labels, 10) {
            Ok(examples) => {
                prop_assert_eq!(examples.images.size(0), examples.len());
                prop_assert!(examples.labels.iter().all(|label| (0..10).contains(&label)));
            }
            Err(error) => prop_assert!(error.to_string().contains("damaged-pair"), "{}", error),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_pictures_are_read_or_refused(damage in damage(), png: bool, seed in 0..4_u64) {
        let scratch = Scratch::new("damaged-picture");
        let image = Tensor::rand([3, 9, 12], &mut Rng::seeded(seed));
        let good = if png {
            save_png(&scratch, "a/x.png", &image);
            fs::read(scratch.0.join("a/x.png")).unwrap()
        } else {
            jpeg(&image)
        };
        scratch.file("a/x.png", &damaged(&good, &damage));
        match ImageFolder::read(&scratch.0, &ImageFolderOptions::default()) {
            Ok(folder) => prop_assert!(folder.examples.images.iter().all(|x| (0.0..=1.0).contains(&x))),
            Err(error) => prop_assert!(error.to_string().contains("damaged-picture"), "{}", error),
        }
    }
}

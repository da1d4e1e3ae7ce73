//! [`ImageFolder`]: images in a folder for each class.

use super::in_memory::Data;
use crate::system::open_regular;
use image::imageops::FilterType;
use image::{DynamicImage, ImageReader};
use std::error::Error;
use std::ffi::OsStr;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::{fs, io};
use thiserror::Error;

/// Images of `H` rows, `W` columns and `C` channels in a folder with a sub-folder for each class, as torchvision's
/// `ImageFolder`:
///
/// ```text
/// photos/cat/1.png
/// photos/cat/2.jpg
/// photos/dog/1.jpeg
/// ```
///
/// `C` is 1 for grey images, 3 for RGB, or 4 for RGBA; images of other kinds are converted. Needs the feature `images`.
///
/// ```no_run
/// use unrolled_runtime::data::{Dataset, ImageFolder, scaled_bytes};
///
/// let photos = ImageFolder::<64, 64, 3>::read_resized("photos")?;
/// println!("{} images of the classes {:?}", photos.data.len(), photos.classes);
/// let train = photos.data.map(|image, class, _| (scaled_bytes(&image), class));
/// # Ok::<(), unrolled_runtime::data::ImageFolderError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ImageFolder<const H: usize, const W: usize, const C: usize> {
    /// The images as bytes, in the order of the names of classes and files, and their class indices.
    pub data: Data<[[[u8; C]; W]; H], u32>,
    /// The file of each image, in the same order. To choose images and know their files, choose indices: a
    /// [`Subset`](super::Subset) of `data`.
    pub paths: Vec<PathBuf>,
    /// The names of the classes, in alphabetical order: a class index is one into this list.
    pub classes: Vec<String>,
}

/// A folder of images that cannot be used. Messages name the folder or file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImageFolderError {
    /// A folder that cannot be read.
    #[error("cannot read the folder `{path}`: {why}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The reason of the operating system.
        #[source]
        why: io::Error,
    },
    /// A folder without sub-folders.
    #[error("expected a sub-folder of `{path}` for each class, found none")]
    NoClasses {
        /// The folder.
        path: PathBuf,
    },
    /// The folder of a class without images.
    #[error("expected PNG or JPEG files (.png, .jpg, .jpeg) in the folder `{path}`, found none")]
    NoImages {
        /// The folder.
        path: PathBuf,
    },
    /// A file that is no image, or is damaged.
    #[error("cannot read the image `{path}`: {why}")]
    Image {
        /// The file.
        path: PathBuf,
        /// The reason of the operating system or of the decoder.
        #[source]
        why: Box<dyn Error + Send + Sync>,
    },
    /// An image of another size.
    #[error(
        "expected {} rows and {} columns, found {} and {} in the image `{path}`: `read_resized` scales images",
        expected.0,
        expected.1,
        found.0,
        found.1
    )]
    Size {
        /// The file.
        path: PathBuf,
        /// Rows and columns of the others.
        expected: (usize, usize),
        /// Its rows and columns.
        found: (usize, usize),
    },
}

impl<const H: usize, const W: usize, const C: usize> ImageFolder<H, W, C> {
    /// Reads a folder whose images all have `H` rows and `W` columns. Files that do not end with `.png`, `.jpg` or `.jpeg`
    /// are ignored.
    ///
    /// # Errors
    /// If a folder cannot be read, there are no classes, a class has no images, or an image cannot be read or has another
    /// size.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ImageFolderError> {
        Self::read_with(path.as_ref(), |path, image| {
            let found = (image.height() as usize, image.width() as usize);
            if found != (H, W) {
                return Err(ImageFolderError::Size { path: path.into(), expected: (H, W), found });
            }
            Ok(image)
        })
    }

    /// As [`read`](Self::read), but scales images of other sizes, whose aspect ratio changes if it is another one.
    ///
    /// # Errors
    /// If a folder cannot be read, there are no classes, a class has no images, or an image cannot be read.
    pub fn read_resized(path: impl AsRef<Path>) -> Result<Self, ImageFolderError> {
        Self::read_with(path.as_ref(), |_, image| {
            // Linear, and with an area of several pixels where images become smaller: as torchvision's `Resize`.
            Ok(image.resize_exact(W as u32, H as u32, FilterType::Triangle))
        })
    }

    fn read_with(
        path: &Path,
        sized: impl Fn(&Path, DynamicImage) -> Result<DynamicImage, ImageFolderError>,
    ) -> Result<Self, ImageFolderError> {
        const { assert!(C == 1 || C == 3 || C == 4, "an image has 1, 3 or 4 channels") };
        let folders = entries(path, |path| path.is_dir())?;
        if folders.is_empty() {
            return Err(ImageFolderError::NoClasses { path: path.into() });
        }
        let mut found = Self { data: Data::default(), paths: Vec::new(), classes: Vec::new() };
        for (class, folder) in (0..).zip(folders) {
            let files = entries(&folder, is_image)?;
            if files.is_empty() {
                return Err(ImageFolderError::NoImages { path: folder });
            }
            for file in files {
                found.push(sized(&file, decoded(&file)?)?, class);
                found.paths.push(file);
            }
            let name = folder.file_name().unwrap_or_default();
            found.classes.push(name.to_string_lossy().into_owned());
        }
        Ok(found)
    }

    fn push(&mut self, image: DynamicImage, class: u32) {
        let bytes = match C {
            1 => image.into_luma8().into_raw(),
            3 => image.into_rgb8().into_raw(),
            _ => image.into_rgba8().into_raw(),
        };
        // Copied in place: an image may be larger than the stack.
        let rows = bytes.as_chunks::<C>().0.as_chunks::<W>().0;
        self.data.inputs.extend_from_slice(rows.as_chunks::<H>().0);
        self.data.targets.push(class);
    }
}

/// The entries of a folder that are wanted, in the order of their names, which is the same on all systems.
fn entries(folder: &Path, wanted: fn(&Path) -> bool) -> Result<Vec<PathBuf>, ImageFolderError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
        let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
        paths.retain(|path| wanted(path));
        paths.sort();
        Ok(paths)
    };
    read().map_err(|why| ImageFolderError::Folder { path: folder.into(), why })
}

fn is_image(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn decoded(path: &Path) -> Result<DynamicImage, ImageFolderError> {
    let decode = || -> Result<DynamicImage, Box<dyn Error + Send + Sync>> {
        let reader = ImageReader::new(BufReader::new(open_regular(path)?));
        // By its first bytes: names lie.
        Ok(reader.with_guessed_format()?.decode()?)
    };
    decode().map_err(|why| ImageFolderError::Image { path: path.into(), why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma, Rgb, RgbImage};

    /// A folder with two classes, of two images and one of 2x3.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("unrolled-{name}-{}", std::process::id()));
        fs::remove_dir_all(&folder).ok();
        for class in ["dog", "cat"] {
            fs::create_dir_all(folder.join(class)).unwrap();
        }
        let grey = GrayImage::from_fn(3, 2, |x, y| Luma([(100 * y + 10 * x) as u8]));
        grey.save(folder.join("cat/b.png")).unwrap();
        let red = RgbImage::from_pixel(3, 2, Rgb([200, 0, 0]));
        red.save(folder.join("cat/a.PNG")).unwrap();
        red.save(folder.join("dog/c.jpg")).unwrap();
        fs::write(folder.join("dog/notes.txt"), "no image").unwrap();
        fs::write(folder.join("readme"), "no class").unwrap();
        folder
    }

    #[test]
    fn classes_and_files_are_in_the_order_of_their_names() {
        let folder = folder("images");
        let found = ImageFolder::<2, 3, 3>::read(&folder).unwrap();
        assert_eq!(
            (found.classes, found.data.targets),
            (vec!["cat".into(), "dog".into()], vec![0, 0, 1])
        );
        assert_eq!(found.data.inputs[0], [[[200, 0, 0]; 3]; 2]);
        assert_eq!(found.data.inputs[1][1], [[100; 3], [110; 3], [120; 3]]);
        // JPEG is lossy.
        assert!(
            found.data.inputs[2]
                .as_flattened()
                .iter()
                .all(|[r, g, b]| *r > 190 && *g < 10 && *b < 10)
        );
        let files = ["cat/a.PNG", "cat/b.png", "dog/c.jpg"];
        assert_eq!(found.paths, files.map(|file| folder.join(file)));
        let grey = ImageFolder::<2, 3, 1>::read(&folder).unwrap();
        assert_eq!(grey.data.inputs[1], [[[0], [10], [20]], [[100], [110], [120]]]);
        let larger = ImageFolder::<4, 6, 1>::read_resized(&folder).unwrap();
        assert_eq!((larger.data.len(), larger.data.inputs[1][0][0]), (3, [0]));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn errors_name_the_file() {
        let folder = folder("bad-images");
        let refused = || ImageFolder::<2, 3, 1>::read(&folder).unwrap_err().to_string();
        GrayImage::new(5, 4).save(folder.join("cat/large.png")).unwrap();
        let message = refused();
        assert!(
            message.contains("expected 2 rows and 3 columns, found 4 and 5 in the image"),
            "{message}"
        );
        assert!(message.contains("large.png`"), "{message}");
        let png = fs::read(folder.join("cat/b.png")).unwrap();
        fs::write(folder.join("cat/large.png"), &png[..png.len() / 2]).unwrap();
        let message = refused();
        assert!(
            message.starts_with("cannot read the image") && message.contains("large.png`"),
            "{message}"
        );
        fs::write(folder.join("cat/large.png"), "no image").unwrap();
        assert!(refused().contains("large.png`"));
        fs::remove_file(folder.join("cat/large.png")).unwrap();
        fs::create_dir(folder.join("empty")).unwrap();
        let message = refused();
        assert!(
            message.starts_with("expected PNG or JPEG files") && message.contains("empty`"),
            "{message}"
        );
        let error = ImageFolder::<2, 3, 1>::read(folder.join("empty")).unwrap_err();
        assert!(matches!(error, ImageFolderError::NoClasses { .. }), "{error}");
        let error = ImageFolder::<2, 3, 1>::read(folder.join("nothing")).unwrap_err();
        assert!(matches!(error, ImageFolderError::Folder { .. }), "{error}");
        fs::remove_dir_all(&folder).unwrap();
    }
}

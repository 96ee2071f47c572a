//! The book's listings come from the source: every one that it includes must exist.

use std::fs;
use std::path::Path;

#[test]
fn every_listing_exists() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src");
    let mut listings = 0;
    for entry in fs::read_dir(&book).unwrap() {
        let chapter = entry.unwrap().path();
        if chapter.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&chapter).unwrap();
        for include in text.split("{{#include ").skip(1) {
            let target = include.split("}}").next().unwrap();
            let (file, anchor) = target.split_once(':').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
            let source = fs::read_to_string(book.join(file))
                .unwrap_or_else(|error| panic!("{}: {file}: {error}", chapter.display()));
            if let Some(anchor) = anchor {
                for mark in [format!("ANCHOR: {anchor}\n"), format!("ANCHOR_END: {anchor}\n")] {
                    assert!(source.contains(&mark), "{}: no {mark:?} in {file}", chapter.display());
                }
            }
            listings += 1;
        }
    }
    assert!(listings >= 5, "the book has {listings} listings");
}

#[test]
fn every_chapter_of_the_summary_exists() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src");
    let summary = fs::read_to_string(book.join("SUMMARY.md")).unwrap();
    for link in summary.split("](").skip(1) {
        let chapter = link.split(')').next().unwrap();
        assert!(book.join(chapter).is_file(), "SUMMARY.md names {chapter}, which is not there");
    }
}

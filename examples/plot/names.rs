//! Where the names of points go in a picture: beside their point, above it, or nowhere, if there is no room.

/// Where a name stands, seen from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Right,
    Left,
    Above,
}

/// A rectangle: from x, from y, to x, to y; y goes down.
type Rect = [f64; 4];

/// Half the width of a point, the space between it and its name, and the height of a line.
pub const POINT: f64 = 5.0;
pub const SPACE: f64 = 6.0;
const LINE: f64 = 14.0;
/// A letter's width, of most letters: names are rather taken for too wide than for too narrow.
const LETTER: f64 = 7.2;

/// The place of each point's name, in a picture of this width and height where the points are at these places, or none.
/// The first points choose first.
pub fn places(points: &[[f64; 2]], names: &[String], [width, height]: [f64; 2]) -> Vec<Option<Place>> {
    let mut taken: Vec<Rect> = points.iter().map(|&[x, y]| [x - POINT, y - POINT, x + POINT, y + POINT]).collect();
    let free = |rect: &Rect, own: usize, taken: &[Rect]| {
        let inside = rect[0] >= 0.0 && rect[1] >= 0.0 && rect[2] <= width && rect[3] <= height;
        inside && taken.iter().enumerate().all(|(i, other)| i == own || !overlap(rect, other))
    };
    let mut place_of = |i: usize| {
        let place = [Place::Right, Place::Left, Place::Above].into_iter().find(|&place| {
            let rect = rect(points[i], &names[i], place);
            free(&rect, i, &taken)
        })?;
        taken.push(rect(points[i], &names[i], place));
        Some(place)
    };
    (0..points.len()).map(&mut place_of).collect()
}

/// What a name covers.
fn rect([x, y]: [f64; 2], name: &str, place: Place) -> Rect {
    let width = name.chars().count() as f64 * LETTER;
    match place {
        Place::Right => [x + SPACE, y - LINE / 2.0, x + SPACE + width, y + LINE / 2.0],
        Place::Left => [x - SPACE - width, y - LINE / 2.0, x - SPACE, y + LINE / 2.0],
        Place::Above => [x - width / 2.0, y - SPACE - LINE, x + width / 2.0, y - SPACE],
    }
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(points: &[[f64; 2]], size: [f64; 2]) -> Vec<Option<Place>> {
        places(points, &vec!["a name".to_string(); points.len()], size)
    }

    #[test]
    fn a_name_goes_where_room_is() {
        assert_eq!(named(&[[50.0, 50.0]], [100.0, 100.0]), [Some(Place::Right)]);
        assert_eq!(named(&[[90.0, 50.0]], [100.0, 100.0]), [Some(Place::Left)]);
        // Two that are close take sides, and leave nothing to a third.
        let close = [[60.0, 50.0], [59.0, 51.0], [60.0, 51.0]];
        assert_eq!(named(&close, [120.0, 100.0]), [Some(Place::Right), Some(Place::Left), None]);
        assert_eq!(named(&[[25.0, 30.0]], [50.0, 60.0]), [Some(Place::Above)]);
    }

    #[test]
    fn no_name_touches_another_or_a_point() {
        // All over the picture, as multiples of numbers that no fraction comes near.
        let share = |i: usize, of: f64| (i as f64 * of).fract();
        let points: Vec<[f64; 2]> =
            (0..200).map(|i| [share(i, 0.618034) * 500.0, share(i, 2_f64.sqrt()) * 400.0]).collect();
        let names: Vec<String> = (0..200).map(|i| "x".repeat(1 + i % 9)).collect();
        let places = places(&points, &names, [500.0, 400.0]);
        let rects: Vec<(usize, Rect)> = places
            .iter()
            .enumerate()
            .filter_map(|(i, place)| Some((i, rect(points[i], &names[i], (*place)?))))
            .collect();
        assert!((30..200).contains(&rects.len()), "{} names", rects.len());
        for (i, a) in &rects {
            assert!(rects.iter().all(|(j, b)| i == j || !overlap(a, b)));
            assert!(points.iter().enumerate().all(|(j, &[x, y])| *i == j || !overlap(a, &[x, y, x, y])));
        }
    }
}

//! Lists of lists in two flat vectors, and the way back from an item to the lists it stands in.

use std::ops::Range;

/// Some lists of numbers, one behind the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Lists {
    /// Where each list starts in `items`, and where the last one ends.
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// No lists, with room for so many, and so many items.
    pub fn with_capacity(lists: usize, items: usize) -> Lists {
        let mut starts = Vec::with_capacity(lists + 1);
        starts.push(0);
        Lists { starts, items: Vec::with_capacity(items) }
    }

    /// An item at the end of the list that [`finish`](Lists::finish) will end.
    #[inline]
    pub fn push(&mut self, item: u32) {
        self.items.push(item);
    }

    /// Several of them.
    #[inline]
    pub fn extend(&mut self, items: impl IntoIterator<Item = u32>) {
        self.items.extend(items);
    }

    /// Ends a list; what is pushed next is the next one's.
    #[inline]
    pub fn finish(&mut self) {
        self.starts.push(self.items.len() as u32);
    }

    /// The number of lists.
    #[inline]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Where list `i` stands in [`items`](Lists::items).
    #[inline]
    pub fn range(&self, i: usize) -> Range<usize> {
        self.starts[i] as usize..self.starts[i + 1] as usize
    }

    /// List `i`.
    #[inline]
    pub fn get(&self, i: usize) -> &[u32] {
        &self.items[self.range(i)]
    }

    /// The items of all lists.
    #[inline]
    pub fn items(&self) -> &[u32] {
        &self.items
    }

    /// All lists.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.len()).map(|i| self.get(i))
    }

    /// For each item, the number of its list.
    pub fn owners(&self) -> Vec<u32> {
        let mut owners = Vec::with_capacity(self.items.len());
        for list in 0..self.len() {
            owners.resize(self.starts[list + 1] as usize, list as u32);
        }
        owners
    }

    /// For each value from 0 to, not including, `values`: where in [`items`](Lists::items) it stands, in ascending
    /// order.
    pub fn places(&self, values: usize) -> Lists {
        // A counting sort: starts first count, then say where each list begins, and last where it ends.
        let mut starts = vec![0; values + 1];
        for &value in &self.items {
            starts[value as usize + 1] += 1;
        }
        for i in 0..values {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut items = vec![0; self.items.len()];
        for (place, &value) in self.items.iter().enumerate() {
            let slot = &mut next[value as usize];
            items[*slot as usize] = place as u32;
            *slot += 1;
        }
        Lists { starts, items }
    }

    /// The values that occur, in ascending order, and where in [`items`](Lists::items) each stands. For a range of
    /// values much larger than their number.
    pub fn distinct_places(&self) -> (Vec<i64>, Lists) {
        let mut keys: Vec<u64> = (0..).zip(&self.items).map(|(place, &value)| u64::from(value) << 32 | place).collect();
        keys.sort_unstable();
        let mut values = Vec::with_capacity(keys.len());
        let mut places = Lists::with_capacity(keys.len(), keys.len());
        for (i, &key) in keys.iter().enumerate() {
            let value = (key >> 32) as i64;
            if values.last() != Some(&value) {
                if i > 0 {
                    places.finish();
                }
                values.push(value);
            }
            places.push(key as u32);
        }
        if !keys.is_empty() {
            places.finish();
        }
        (values, places)
    }
}

/// Lists of these items.
impl<const N: usize> From<[&[u32]; N]> for Lists {
    fn from(lists: [&[u32]; N]) -> Lists {
        let mut all = Lists::with_capacity(N, 0);
        for list in lists {
            all.extend(list.iter().copied());
            all.finish();
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back_to_the_lists() {
        let lists = Lists::from([&[5, 2][..], &[], &[2, 2, 7]]);
        assert_eq!(lists.owners(), [0, 0, 2, 2, 2]);
        assert_eq!(lists.iter().collect::<Vec<_>>(), [&[5, 2][..], &[], &[2, 2, 7]]);
        let (values, places) = lists.distinct_places();
        assert_eq!(values, [2, 5, 7]);
        assert_eq!(places, Lists::from([&[1, 2, 3][..], &[0], &[4]]));
        let all = lists.places(8);
        assert_eq!(all.len(), 8);
        assert!((0..8).all(|value| all.get(value).iter().all(|&place| lists.items()[place as usize] == value as u32)));
        assert_eq!((all.get(2), all.get(3)), (&[1, 2, 3][..], &[][..]));
        assert_eq!(Lists::with_capacity(0, 0).distinct_places().0, [0; 0]);
    }
}

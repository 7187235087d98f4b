//! Aligned text: tables of many things, fields of one.

use super::paint::{Paint, Tone};

/// Blanks between two columns.
const GAP: &str = "  ";

/// To which side a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Amounts and counts.
    Right,
}

/// One field of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A text and what it means.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: one_line(&text.into()), tone }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }

    fn padded(&self, paint: Paint, align: Align, width: usize) -> String {
        let blanks = " ".repeat(width.saturating_sub(self.width()));
        let text = paint.tint(self.tone, &self.text);
        match align {
            Align::Left => format!("{text}{blanks}"),
            Align::Right => format!("{blanks}{text}"),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(Tone::Plain, text)
    }
}

/// Control characters of others' texts must not move the cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// Rows under headings.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(Cell, Align)>,
    rows: Vec<Vec<Cell>>,
    empty: String,
}

impl Table {
    /// A table of these columns; `empty` is said when there are no rows.
    pub fn new<const N: usize>(columns: [(&str, Align); N], empty: impl Into<String>) -> Self {
        let columns =
            columns.map(|(heading, align)| (Cell::new(Tone::Faint, heading), align)).into();
        Self { columns, rows: Vec::new(), empty: empty.into() }
    }

    /// Adds a row, a cell for each column.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// The lines.
    pub fn render(&self, paint: Paint) -> String {
        if self.rows.is_empty() {
            return paint.tint(Tone::Faint, &self.empty);
        }
        let headings: Vec<Cell> = self.columns.iter().map(|(cell, _)| cell.clone()).collect();
        let widths: Vec<usize> = (0..headings.len())
            .map(|column| {
                let rows = std::iter::once(&headings).chain(&self.rows);
                rows.filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or_default()
            })
            .collect();
        let line = |row: &Vec<Cell>| {
            let shapes = self.columns.iter().map(|(_, align)| *align).zip(&widths);
            let cells = row.iter().zip(shapes);
            let cells = cells.map(|(cell, (align, width))| cell.padded(paint, align, *width));
            cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        };
        let rows = std::iter::once(&headings).chain(&self.rows);
        rows.map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Names and values of one thing.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, Cell)>);

impl Fields {
    /// None yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Cell>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// Adds one that may be absent or empty, in which case it is left out.
    #[must_use]
    pub fn field_if(self, name: &str, value: Option<impl Into<Cell>>) -> Self {
        match value.map(Into::into) {
            Some(cell) if !cell.text.is_empty() => self.field(name, cell),
            _ => self,
        }
    }

    /// The lines.
    pub fn render(&self, paint: Paint) -> String {
        let width = self.0.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        let line = |(name, value): &(String, Cell)| {
            let name = Cell::new(Tone::Faint, name.as_str()).padded(paint, Align::Left, width);
            let value = paint.tint(value.tone, &value.text);
            format!("{name}{GAP}{value}").trim_end().to_owned()
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [(&str, Align); 2] = [("NAME", Align::Left), ("AMOUNT", Align::Right)];

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(COLUMNS, "nothing");
        table.row(["João".into(), "BRL 1.00".into()]);
        table.row([Cell::new(Tone::Good, "Maria Clara"), "BRL 1,000.00".into()]);
        let expected = "NAME               AMOUNT\n\
                        João             BRL 1.00\n\
                        Maria Clara  BRL 1,000.00";
        assert_eq!(table.render(Paint::new(false)), expected);
    }

    #[test]
    fn colours_do_not_count_as_width() {
        let mut table = Table::new(COLUMNS, "nothing");
        table.row([Cell::new(Tone::Bad, "a"), "1".into()]);
        let painted = anstream::adapter::strip_str(&table.render(Paint::new(true))).to_string();
        assert_eq!(painted, table.render(Paint::new(false)));
    }

    #[test]
    fn an_empty_table_says_so() {
        assert_eq!(Table::new(COLUMNS, "no accounts").render(Paint::new(false)), "no accounts");
    }

    #[test]
    fn fields_are_aligned_and_absent_ones_left_out() {
        let fields = Fields::new()
            .field("account", "1")
            .field_if("limit", None::<&str>)
            .field_if("note", Some(""))
            .field("at", "2");
        assert_eq!(fields.render(Paint::new(false)), "account  1\nat       2");
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        let fields = Fields::new().field("name", "a\u{1b}[2Jb\nc");
        assert_eq!(fields.render(Paint::new(false)), "name  a [2Jb c");
    }
}

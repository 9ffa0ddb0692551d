"""What leaves a panel: figures, tables, the code that makes it again, and its state.

- `parts`: what there is to draw, one dataclass a kind; a widget that draws something says what by its method `drawn()`
- `figure`: the parts of a panel, from the widgets that it shows
- `arrange`, `blocks`: where the parts lie on a sheet, as a `marks.Drawing`
- `png`, `svg`: a drawing as a file, without a browser
- `table`: the numbers behind a result, as columns
- `save`: all of these by the suffix of a file
- `state`, `code`: a panel's session and settings, as JSON and as Python
"""

from __future__ import annotations

from pathlib import Path

from tests.docs.markdown_blocks import blocks, scripts

PAGE = """\
# Title

```python
first = 1
```

<!-- not run: it takes an hour -->
```python
never = True
```

- a list

  ```python
  second = first
  ```

<!-- own process: another framework -->
```python
third = 3
```

```bash
optiscope ls
```
"""


def test_blocks_are_found_with_their_language_and_line():
    found = [(block.language, block.line, block.text) for block in blocks(PAGE)]
    assert found == [
        ("python", 4, "first = 1"),
        ("python", 9, "never = True"),
        ("python", 15, "second = first"),
        ("python", 20, "third = 3"),
        ("bash", 24, "optiscope ls"),
    ]


def test_remarks_are_kept_with_their_reasons():
    assert [block.not_run for block in blocks(PAGE)] == ["", "it takes an hour", "", "", ""]
    assert [block.own_process for block in blocks(PAGE)] == ["", "", "", "another framework", ""]


def test_the_scripts_keep_the_pages_line_numbers(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    first, second = scripts(page)
    assert first.split("\n")[3] == "first = 1"
    assert first.split("\n")[14] == "second = first"
    assert "never" not in first
    assert second.split("\n")[19] == "third = 3"


def test_a_block_that_is_never_closed_reaches_to_the_end():
    (block,) = blocks("```python\nx = 1\ny = 2")
    assert block.text == "x = 1\ny = 2"

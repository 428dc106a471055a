"""The tests of Optiscope; the folders mirror src/optiscope."""

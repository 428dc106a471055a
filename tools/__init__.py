"""What the developers of Optiscope run through `make`; not part of the package."""

"""An invented study that the tests of the report share."""

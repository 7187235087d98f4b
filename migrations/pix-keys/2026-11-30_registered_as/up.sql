-- A key as the program that registered it wrote it, where that is not its canonical text: such a
-- program looks its keys up by that very text. Nothing is decided by it.
ALTER TABLE pix_keys.entry
    ADD COLUMN registered_as text CHECK (length(registered_as) BETWEEN 1 AND 77);

-- Customers who came without a tax id, known by an id, a name and an e-mail. The tax id is a number
-- under the bank's own registration.
CREATE TABLE banking.client (
    id            uuid PRIMARY KEY,
    ispb          text NOT NULL REFERENCES banking.bank (ispb),
    tax_id        text NOT NULL,
    name          text NOT NULL,
    email         text NOT NULL,
    registered_at timestamptz NOT NULL,
    CONSTRAINT client_number UNIQUE (ispb, tax_id)
);

-- The number of the bank's next client; 1 is the bank itself.
ALTER TABLE banking.bank ADD COLUMN next_client bigint NOT NULL DEFAULT 2;

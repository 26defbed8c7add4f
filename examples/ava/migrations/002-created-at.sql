ALTER TABLE notes ADD created_at timestamptz NOT NULL DEFAULT now();

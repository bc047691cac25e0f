-- Last, when every trigger is there: what health() holds them to from now on.  An upgrade that adds or
-- changes one does the same for its table.

INSERT INTO epermit.guard SELECT * FROM epermit.triggers();

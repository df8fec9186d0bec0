//! The statements, each of which is a transaction of its own.
//!
//! READ COMMITTED is enough: a swap names the version that it replaces, and a row that another
//! transaction has replaced meanwhile is judged again as it then stands.

/// Seconds of the database's clock: what a record's expiry is compared with.
macro_rules! now {
    () => {
        "floor(extract(epoch FROM clock_timestamp()))::int8"
    };
}

/// Its microseconds: what orders the events.
macro_rules! micros {
    () => {
        "floor(extract(epoch FROM clock_timestamp()) * 1000000)::int8"
    };
}

/// The time, and the records of these keys. Whether one has expired is judged by that same time.
pub(crate) const LOOK: &str = concat!(
    "SELECT NULL::bytea, NULL::bytea, NULL::bytea, ",
    now!(),
    " UNION ALL
    SELECT key, version, bytes, expiry FROM countersign_record WHERE key = ANY ($1::bytea[])"
);

/// The jobs of a group, at most one a key.
macro_rules! job {
    () => {
        "WITH job AS MATERIALIZED (
        SELECT key, expected, next, expiry, bytes
        FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::int8[], $5::bytea[])
            AS j (key, expected, next, expiry, bytes)
    )"
    };
}

/// Inserts, in key order, what is expected to be absent ($6).
macro_rules! made {
    () => {
        concat!(
            ", made AS (
        INSERT INTO countersign_record (key, version, expiry, bytes, at)
        SELECT key, next, expiry, bytes, ",
            micros!(),
            "
        FROM job WHERE expected = $6
        ORDER BY key
        ON CONFLICT (key) DO NOTHING
        RETURNING key, at
    )"
        )
    };
}

/// Locks the rows that stood, in key order, once `$after` is done; then asks for the time; then writes each whose version is
/// the expected one. A row whose time has passed stands as absent.
///
/// What orders the three is that each counts the rows of the one before: a count is computed before anything that it is the
/// condition of. Where no row is held there is no time, and nothing is written.
macro_rules! swapped {
    ($after:literal) => {
        concat!(
            ", held AS MATERIALIZED (
        SELECT key FROM countersign_record
        WHERE key = ANY ($1)",
            $after,
            "
        ORDER BY key FOR NO KEY UPDATE
    ), clock AS MATERIALIZED (
        SELECT ",
            now!(),
            " AS now, ",
            micros!(),
            " AS micros WHERE (SELECT count(*) FROM held) > 0
    ), swapped AS (
        UPDATE countersign_record AS r
        SET version = j.next, expiry = j.expiry, bytes = j.bytes,
            at = greatest(r.at + 1, (SELECT micros FROM clock))
        FROM job AS j
        WHERE r.key = j.key AND (SELECT count(*) FROM clock) > 0
            AND j.expected = CASE WHEN r.expiry <= (SELECT now FROM clock) THEN $6::bytea ELSE r.version END
        RETURNING r.key, r.at
    )"
        )
    };
}

/// Adds the events of `$won`: of the n-th job the `$8[n]`-th of all to the `$9[n]`-th. `at` orders the events of a record: the
/// database's clock, or one more than the last where that clock went back.
///
/// They are found by counting. A join would compare every event with every row that was won: a third of the statement.
macro_rules! told {
    ($won:literal) => {
        concat!(
            ", won AS (
        ",
            $won,
            "
    ), told AS (
        INSERT INTO countersign_event (partition, at, place, id, bytes)
        SELECT ($7::int2[])[w.n], w.at, (e - ($8::int4[])[w.n])::int2, ($10::bytea[])[e], ($11::bytea[])[e]
        FROM (SELECT at, array_position($1, key) AS n FROM won) AS w
            CROSS JOIN LATERAL generate_series(($8::int4[])[w.n], ($9::int4[])[w.n]) AS e
        RETURNING 1
    )"
        )
    };
}

/// Takes out the oldest events beyond the room ($12).
macro_rules! dropped {
    () => {
        ", excess AS MATERIALIZED (
        SELECT greatest(0, (SELECT count(*) FROM told) - $12::int8) AS n
    ), oldest AS MATERIALIZED (
        SELECT o.partition, o.at, o.place, o.id
        FROM generate_series(0, 1023) AS p CROSS JOIN LATERAL (
            SELECT partition, at, place, id FROM countersign_event
            WHERE partition = p::int2 ORDER BY at, place, id LIMIT (SELECT n FROM excess)
        ) AS o
        WHERE (SELECT n FROM excess) > 0
        ORDER BY o.at, o.place, o.partition, o.id LIMIT (SELECT n FROM excess)
    ), dropped AS (
        DELETE FROM countersign_event AS e USING (
            SELECT e.partition, e.at, e.place, e.id
            FROM oldest AS o JOIN countersign_event AS e USING (partition, at, place, id)
            FOR UPDATE OF e SKIP LOCKED
        ) AS o
        WHERE (e.partition, e.at, e.place, e.id) = (o.partition, o.at, o.place, o.id)
        RETURNING 1
    )
    SELECT key, 0::int8 FROM won UNION ALL SELECT NULL, (SELECT count(*) FROM dropped)"
    };
}

/// Swaps a group of records, at most one job a key, and adds the events of those that were won.
///
/// Groups of two nodes that overlap wait for each other and never in a circle. First `made` inserts, in key order; then
/// `held` locks the rows that stood, in key order, before any is written. What one that inserts has made nobody who locks
/// can see, so whoever has come to the locks waits for nobody who inserts. The other way round, one would hold a row and
/// wait for an insert, and its maker, to whom that row is new, for the row.
///
/// Answers with the keys that were won, and in a row without a key how many events gave way.
pub(crate) const SETTLE: &str = concat!(
    job!(),
    made!(),
    swapped!(" AND (SELECT count(*) FROM made) >= 0"),
    told!("SELECT key, at FROM swapped UNION ALL SELECT key, at FROM made"),
    dropped!(),
);

/// The same, where the events have room: none gives way, and $12 is not asked for.
pub(crate) const SETTLE_WITH_ROOM: &str = concat!(
    job!(),
    made!(),
    swapped!(" AND (SELECT count(*) FROM made) >= 0"),
    told!("SELECT key, at FROM swapped UNION ALL SELECT key, at FROM made"),
    "
    SELECT key, 0::int8 FROM won",
);

/// The same, where besides nothing is expected to be absent: what stands under most load.
pub(crate) const SETTLE_WHAT_STANDS: &str = concat!(
    job!(),
    swapped!(""),
    told!("SELECT key, at FROM swapped"),
    "
    SELECT key, 0::int8 FROM won",
);

/// The records after a key, in key order.
pub(crate) const WALK: &str = concat!(
    "SELECT key, version, bytes, expiry FROM countersign_record
    WHERE key > $1::bytea AND (expiry IS NULL OR expiry > ",
    now!(),
    ") ORDER BY key LIMIT $2::int8"
);

/// The oldest events, at most $2, found by reading at most $1 of each partition.
///
/// A partition that has more may hide one that is older than what others show, so nothing younger
/// than its last is answered; the last column tells that this was so.
pub(crate) const EVENTS: &str = "WITH few AS MATERIALIZED (
        SELECT o.* FROM generate_series(0, 1023) AS p CROSS JOIN LATERAL (
            SELECT partition, at, place, id, bytes FROM countersign_event
            WHERE partition = p::int2 ORDER BY at, place, id LIMIT $1::int8
        ) AS o
    ), cut AS MATERIALIZED (
        SELECT min(last) AS last FROM (
            SELECT max(at) AS last FROM few GROUP BY partition HAVING count(*) >= $1
        ) AS hidden
    )
    SELECT f.partition, f.at, f.place, f.id, f.bytes, c.last IS NOT NULL
    FROM few AS f CROSS JOIN cut AS c WHERE c.last IS NULL OR f.at <= c.last
    ORDER BY f.at, f.partition, f.place, f.id LIMIT $2::int8";

/// Takes out events whose places are known.
pub(crate) const FORGET: &str = "DELETE FROM countersign_event AS e
    USING unnest($1::int2[], $2::int8[], $3::int2[], $4::bytea[]) AS g (partition, at, place, id)
    WHERE (e.partition, e.at, e.place, e.id) = (g.partition, g.at, g.place, g.id)";

/// Takes out events by name alone, with a pass over the outbox.
pub(crate) const SEARCH: &str = "DELETE FROM countersign_event WHERE id = ANY ($1::bytea[])";

/// How many events wait.
pub(crate) const COUNT: &str = "SELECT count(*) FROM countersign_event";

/// Takes out some of the oldest events.
pub(crate) const TRIM: &str = "WITH oldest AS MATERIALIZED (
        SELECT o.* FROM generate_series(0, 1023) AS p CROSS JOIN LATERAL (
            SELECT partition, at, place, id FROM countersign_event
            WHERE partition = p::int2 ORDER BY at, place, id LIMIT $1::int8
        ) AS o
        ORDER BY o.at, o.place, o.partition, o.id LIMIT $1
    )
    DELETE FROM countersign_event AS e USING (
        SELECT e.partition, e.at, e.place, e.id
        FROM oldest AS o JOIN countersign_event AS e USING (partition, at, place, id)
        FOR UPDATE OF e SKIP LOCKED
    ) AS o
    WHERE (e.partition, e.at, e.place, e.id) = (o.partition, o.at, o.place, o.id)";

/// Takes out some of the records whose time has passed: they read as absent already.
pub(crate) const PURGE: &str = concat!(
    "DELETE FROM countersign_record WHERE key IN (
        SELECT key FROM countersign_record WHERE expiry <= ",
    now!(),
    " ORDER BY expiry LIMIT 256 FOR UPDATE SKIP LOCKED)"
);

/// The versions that stand, for jobs that find the outbox full.
pub(crate) const STANDS: &str = concat!(
    "SELECT key, version FROM countersign_record
    WHERE key = ANY ($1::bytea[]) AND (expiry IS NULL OR expiry > ",
    now!(),
    ")"
);

-- The rooms of the warehouse and its ledger. Applied at every start; every statement may run again.

create schema if not exists landing;
create schema if not exists raw;
create schema if not exists quarantine;
create schema if not exists audit;
create schema if not exists staging;
create schema if not exists core;
create schema if not exists candidate;
create schema if not exists marts;

comment on schema landing is 'One night''s batches, not yet trusted; rebuilt each night.';
comment on schema raw is 'Append-only history of what was published, one row per version of a record.';
comment on schema quarantine is 'Rows refused, each with its reasons; replayable.';
comment on schema audit is 'What ran, what came, what was refused, what was published.';
comment on schema staging is 'Renamed, cast and trimmed views of raw, latest version per key.';
comment on schema core is 'Dimensions and facts.';
comment on schema candidate is 'KPI marts built tonight, not yet trusted.';
comment on schema marts is 'KPI marts, published: all a reader sees.';

create table if not exists audit.load (
    load_id bigint generated always as identity primary key,
    source text not null,
    table_name text not null,
    business_date date not null,
    run_id text not null,
    state text not null default 'started'
        check (state in ('started', 'landed', 'validated', 'published', 'failed')),
    interval_start timestamptz not null,
    interval_end timestamptz not null check (interval_end > interval_start),
    rows_read bigint,
    rows_published bigint,
    rows_unchanged bigint,
    rows_quarantined bigint,
    deliveries jsonb not null default '{}',
    message text,
    started_at timestamptz not null default clock_timestamp(),
    landed_at timestamptz,
    validated_at timestamptz,
    published_at timestamptz,
    constraint accounting_identity check (
        state <> 'published' or rows_read = rows_published + rows_unchanged + rows_quarantined
    )
);
comment on table audit.load is 'One row per attempt to load one table for one business date. The watermark is the interval_end of the last published load.';
comment on column audit.load.deliveries is 'Manifest of a file source: SHA-256 of each file read and its name. A file sent again is known by it and not loaded twice.';
create index if not exists load_by_table on audit.load (source, table_name, business_date, load_id);

create table if not exists audit.validation (
    validation_id bigint generated always as identity primary key,
    load_id bigint references audit.load,
    suite text not null,
    business_date date not null,
    success boolean not null,
    rules integer not null,
    rules_failed integer not null,
    result jsonb not null,
    validated_at timestamptz not null default clock_timestamp()
);
comment on table audit.validation is 'One row per run of a suite; load_id is empty for a mart.';

create table if not exists audit.publication (
    publication_id bigint generated always as identity primary key,
    business_date date not null,
    run_id text not null,
    mart text not null,
    row_count bigint not null,
    published_at timestamptz not null default clock_timestamp()
);
comment on table audit.publication is 'One row per mart each time the marts were swapped.';

create table if not exists quarantine.record (
    record_id bigint generated always as identity primary key,
    load_id bigint not null references audit.load,
    source text not null,
    table_name text not null,
    business_date date not null,
    row_no bigint not null,
    record jsonb not null,
    reasons jsonb not null,
    quarantined_at timestamptz not null default clock_timestamp(),
    released_at timestamptz,
    released_by_load_id bigint references audit.load,
    unique (load_id, row_no)
);
comment on table quarantine.record is 'One row per row refused: the whole record as it came, and why. reasons is an array of {rule, column, value, message, severity}.';
create index if not exists record_by_table on quarantine.record (source, table_name, business_date);

-- Readers. A deployment gives these roles to its people; they own nothing and see only what was published.
do $$
begin
    if not exists (select from pg_roles where rolname = 'crw_analyst') then
        create role crw_analyst nologin;
    end if;
exception when duplicate_object or unique_violation then null;  -- another warehouse of this server was faster
end $$;
grant usage on schema core, marts to crw_analyst;
grant select on all tables in schema core, marts to crw_analyst;
alter default privileges in schema core grant select on tables to crw_analyst;
alter default privileges in schema marts grant select on tables to crw_analyst;

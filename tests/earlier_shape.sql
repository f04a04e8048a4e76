-- Takes a warehouse back to the shape that the first release gave it, with its rows: what came since is dropped.
drop view audit.approved, audit.held, audit.held_by_date, audit.overtaken cascade;  -- staging reads them by now
alter table audit.validation drop column held cascade, drop column message, drop column is_rejected;
alter table audit.load drop column rows_at_source cascade, drop column rows_in_raw cascade, drop column rows_found_late cascade,
    drop column rows_vanished cascade, drop column vanished_are_held cascade, drop column rows_amended_since cascade,
    drop column rows_suppressed cascade;  -- data_health tells of them by now
drop table audit.vanished, audit.approval, audit.late_run, audit.unread_file, audit.raw_change, audit.erasure, audit.suppression,
    audit.nobody, audit.suppression_salt, audit.pseudonym_key, audit.purge, audit.alert, audit.failed_task, audit.quarantine_action, audit.reader_limit_restored cascade;
drop schema as_of, accounts cascade;
create function audit.note_deleted() returns trigger language plpgsql as 'begin return null; end';
do $$
declare
    relation regclass;
begin
    for relation in select oid from pg_class where relnamespace = 'raw'::regnamespace and relkind = 'p' loop
        execute format('create trigger note_deleted after delete on %s for each statement execute function audit.note_deleted()', relation);
        execute format('alter table %s drop column _is_vanished cascade', relation);
    end loop;
end $$;

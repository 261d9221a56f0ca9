-- The private schema of the application.

create schema mentoring;
comment on schema mentoring is 'Tables and functions of the application mentoring. Not exposed.';

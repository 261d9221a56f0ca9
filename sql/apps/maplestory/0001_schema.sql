-- The private schema of the application.

create schema maplestory;
comment on schema maplestory is 'Tables and functions of the application maplestory. Not exposed.';

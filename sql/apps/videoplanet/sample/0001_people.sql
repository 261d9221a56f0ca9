-- Development data. Forty people; the password of each is Trestle-sample-1 (Argon2id, m=19456, t=2, p=1).
-- owner@, manager@, member@ and outsider@videoplanet.test come first, then person05@ … person40@videoplanet.test.

set local time zone 'Asia/Seoul'; -- whose days the contract counts

with person (number, name, nickname, company, role) as (
    values (1, 'owner', '김하늘', '플래닛 스튜디오', 'client'),
           (2, 'manager', '이준호', '플래닛 스튜디오', 'client'),
           (3, 'member', 'Emma Clarke', 'Clarke & Sons', 'client'),
           (4, 'outsider', '박서연', '', 'client')
    union all
    select n,
           'person' || to_char(n, 'FM00'),
           case when n % 3 = 0
               then (array['Oliver', 'Sophia', 'Liam', 'Ava', 'Noah', 'Mia', 'Lucas', 'Grace', 'Henry', 'Chloe', 'Jack', 'Ruby'])[1 + n / 3 % 12]
                    || ' ' || (array['Bennett', 'Foster', 'Hughes', 'Parker', 'Reed'])[1 + n % 5]
               else (array['김', '이', '박', '최', '정', '강', '조', '윤', '장', '임'])[1 + n % 10]
                    || (array['민준', '서윤', '도윤', '지우', '시우', '하은', '예준', '수아', '지호', '채원', '유진', '현우', '은서'])[1 + n % 13]
           end,
           (array['플래닛 스튜디오', 'Northlight Films', '한빛 기획', '', 'Blue Kite Media', '서울 영상'])[1 + n % 6],
           case when n = 40 then 'admin' when n % 9 = 0 then 'partner' else 'client' end
    from generate_series(5, 40) as n
), account as (
    insert into trestle.account (email, password_hash, email_verified_at, created)
    select name || '@videoplanet.test',
           '$argon2id$v=19$m=19456,t=2,p=1$WSiNwT31CjVEvlxwK9ypbQ$76XDRt/SVJFNth58nKvs9Wfk9raBO4GqlYyXMi12/Fo',
           date_trunc('day', now()) - interval '500 days' + number * interval '1 day',
           date_trunc('day', now()) - interval '500 days' + number * interval '1 day'
    from person
    order by number
    returning id, email, created
)
insert into videoplanet.users (id, email, nickname, company, phone, role, created)
select account.id, account.email, person.nickname, person.company, '010-0000-' || to_char(person.number, 'FM0000'),
       person.role, account.created
from account
join person on account.email = person.name || '@videoplanet.test';

insert into videoplanet.user_memos (user_id, date, memo)
select u.id, current_date - 20 + (n * 7 + u.id % 5)::integer,
       (array['촬영 장비 점검', 'Call the location scout', '편집본 전달', '광고주 미팅 15시', 'Send the invoice', '자막 번역 확인'])[1 + (u.id + n) % 6]
from videoplanet.users u
cross join generate_series(1, 6) as n
where u.email like '%@videoplanet.test';

insert into videoplanet.online_videos (link)
select 'https://www.youtube.com/embed/sample' || to_char(n, 'FM00') from generate_series(1, 8) as n;

insert into videoplanet.sample_files (sample_file, file_name)
values ('sample/production-plan.pdf', '영상 기획안 예시.pdf'),
       ('sample/storyboard.pptx', '스토리보드 양식.pptx'),
       ('sample/call-sheet.xlsx', 'Call sheet.xlsx');

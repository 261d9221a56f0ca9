-- Development data. 240 projects in all stages, and what hangs on them. Everything follows from the project's number n:
--   1- 80 owned by owner@; of these n <= 60 with manager@ as manager and n > 20 with member@ as normal member
--  81-100 owned by manager@, 101-110 by member@, 111-130 by outsider@, 131-240 by the others

set local time zone 'Asia/Seoul'; -- whose days the contract counts

create temporary table numbered on commit drop as
with person as (
    select id, row_number() over (order by id) as number from videoplanet.users where email like '%@videoplanet.test'
)
select n, person.id as owner,
       date_trunc('day', now()) - interval '400 days' + n * interval '36 hours' + (n * 37 % 86400) * interval '1 second' as created
from generate_series(1, 240) as n
join person on person.number = case when n <= 80 then 1 when n <= 100 then 2 when n <= 110 then 3 when n <= 130 then 4
                                    else 5 + n % 36 end;

alter table numbered add project bigint;
with project as (
    insert into videoplanet.projects
        (user_id, name, manager, consumer, description, color, status, progress, details, created, updated)
    select owner,
           (array['봄 캠페인', 'Harbour Lights', '신제품 런칭', 'The Quiet Kitchen', '브랜드 필름', 'City in Motion', '채용 홍보', 'Road to the East', '다큐멘터리', 'Winter Stories'])[1 + n % 10]
           || ' ' || (array['티저', 'Part', '본편', 'Episode', '메이킹', 'Trailer', '인터뷰'])[1 + n % 7] || ' ' || n,
           (array['김하늘', '이준호', 'Emma Clarke', '정도윤', 'Noah Hughes', ''])[1 + n % 6],
           (array['한빛전자', 'Northlight', '서울시', 'Blue Kite', '오름식품', 'Clarke & Sons', ''])[1 + n % 7],
           (array['제품의 첫인상을 30초에 담는 영상입니다.', 'A short film about the people behind the harbour.', '고객 인터뷰와 현장 스케치를 엮습니다.', 'Three cuts: 15, 30 and 60 seconds.', ''])[1 + n % 5],
           '#' || upper(substr(md5(n::text), 1, 6)),
           (array['planning', 'in_progress', 'review', 'completed', 'on_hold', 'cancelled'])[1 + n % 12],
           case when n % 10 = 0 then n % 101 end,
           case when n % 4 = 0
               then jsonb_build_object('budget', n * 100000, 'shooting_location', '서울 성동구', 'reference_link', 'https://example.com/' || n)
               else '{}' end,
           created, created + n % 9 * interval '1 day'
    from numbered
    order by n
    returning id, created
)
update numbered set project = project.id from project where project.created = numbered.created;

-- n % 11: no dates; all ahead; one of the eight stages running; all past. A fifth has dates for three stages only.
update videoplanet.project_stages s
set start_date = base + (c.position - 1) * interval '10 days',
    end_date = base + (c.position - 1) * interval '10 days' + interval '9 days 9 hours'
from numbered
cross join lateral (select date_trunc('day', now()) + (15 - n % 11 * 10) * interval '1 day' as base) as shift
cross join videoplanet.stages c
where s.project_id = numbered.project and s.key = c.key and n % 11 > 0 and (n % 5 > 0 or c.position <= 3);

insert into videoplanet.project_members (project_id, user_id, rating, created)
select numbered.project, person.id, case when person.number = 2 or (n + person.number) % 4 = 0 then 'manager' else 'normal' end,
       numbered.created + person.number * interval '1 hour'
from numbered
join (select id, row_number() over (order by id) as number from videoplanet.users where email like '%@videoplanet.test') as person
  on person.id <> numbered.owner
 and (person.number = 2 and n <= 60
      or person.number = 3 and n between 21 and 80
      or person.number = 1 and n between 91 and 105
      or person.number > 4 and (n * 7 + person.number * 5) % 12 = 0)
order by n, person.number;
-- member@ is a normal member wherever he is one
update videoplanet.project_members set rating = 'normal'
from videoplanet.users where users.id = user_id and email = 'member@videoplanet.test' and rating <> 'normal';

insert into videoplanet.project_files (project_id, files, file_name, file_size, file_type, uploaded_by, created)
select project, 'project/' || md5(n || '/' || k) || '.' || suffix, name || '.' || suffix, 1000 + n * 977 % 5000000, type, owner,
       created + k * interval '5 hours'
from numbered
cross join generate_series(1, 3) as k
cross join lateral (select (array['pdf', 'jpg', 'docx'])[k] as suffix,
                           (array['기획안', 'location photo', '촬영 계약서'])[k] as name,
                           (array['application/pdf', 'image/jpeg', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'])[k] as type) as kind
where (n + k) % 3 > 0;

insert into videoplanet.project_memos (project_id, user_id, date, memo, created)
select project, owner, current_date + (n * 3 + k * 11) % 60 - 30,
       (array['로케이션 답사 완료', 'Client asked for a warmer grade', '내레이션 녹음 일정 조율', 'Second unit on standby', '음악 라이선스 확인'])[1 + (n + k) % 5],
       created + k * interval '1 day'
from numbered
cross join generate_series(1, 2) as k
where (n + k) % 4 > 0;

insert into videoplanet.project_invites (project_id, email, token_hash, inviter_id, status, sent_count, last_sent_at, expires_at, created)
select project, 'guest' || n || '.' || k || '@example.com', sha256(('sample invite ' || n || '/' || k)::bytea), owner,
       (array['sent', 'pending', 'accepted', 'declined', 'expired', 'cancelled'])[1 + (n + k) % 6], 1, now() - interval '1 day',
       now() + interval '13 days', now() - interval '1 day'
from numbered
cross join generate_series(1, 2) as k
where n % 2 = 0;

insert into videoplanet.milestones (project_id, name, description, due_date, completed, progress)
select project, (array['시나리오 확정', 'Rough cut', '최종본 승인'])[k], '', current_date + (n % 11 - 5) * -10 + k * 20,
       n % 11 > 3 + k * 2, case when n % 11 > 3 + k * 2 then 100 else n * k % 100 end
from numbered
cross join generate_series(1, 3) as k
where n % 3 > 0;

insert into videoplanet.activities (project_id, actor_id, action, target, details, created)
select project, owner, (array['created', 'date_changed', 'file_added', 'status_changed'])[k], 'project', '{}', created + k * interval '2 days'
from numbered
cross join generate_series(1, 4) as k;

insert into videoplanet.notifications (user_id, kind, type, category, priority, title, message, project_id, sender_id, created, read_at)
select m.user_id, 'project', 'status_change', 'project', 'medium', '프로젝트 상태 변경', p.name || ' 프로젝트의 상태가 변경되었습니다.', p.id, p.user_id,
       now() - (m.id % 80) * interval '1 day', case when m.id % 3 = 0 then now() end
from videoplanet.project_members m
join videoplanet.projects p on p.id = m.project_id
join numbered on numbered.project = p.id;

-- Development data. Films, and 15 remarks on each project with comments, reactions, reads and chat.

set local time zone 'Asia/Seoul'; -- whose days the contract counts

create temporary table voice on commit drop as
select project_id, user_id, row_number() over (partition by project_id order by user_id) as number,
       count(*) over (partition by project_id) as people
from (select id as project_id, user_id from videoplanet.projects
      union all
      select project_id, user_id from videoplanet.project_members) as person
where user_id in (select id from videoplanet.users where email like '%@videoplanet.test');

update videoplanet.feedbacks set files = 'film/' || md5('film ' || project_id) || '.mp4'
where project_id in (select project_id from voice) and project_id % 5 > 0;

insert into videoplanet.feedback_items
    (feedback_id, project_id, user_id, security, title, section, text, type, status, priority, tags, created)
select f.id, f.project_id, voice.user_id, k % 6 = 0,
       (array['색보정', 'Sound', '자막', 'Pacing', '로고'])[1 + k % 5],
       to_char(k * 17 / 60, 'FM00') || ':' || to_char(k * 17 % 60, 'FM00'),
       (array['조금 더 밝았으면 좋겠습니다.', 'The music is too loud here.', '자막에 오타가 있습니다.', 'This cut feels a little long.', '로고를 왼쪽으로 옮겨 주세요.', 'Lovely shot, keep it.', '인터뷰 소리가 울립니다.'])[1 + (k + f.project_id) % 7],
       (array['comment', 'suggestion', 'issue', 'approval'])[1 + k % 4],
       (array['open', 'in_progress', 'resolved', 'closed'])[1 + (k + f.project_id) % 4],
       (array['low', 'medium', 'high', 'critical'])[1 + (k * 3 + f.project_id) % 4],
       case when k % 3 = 0 then array['v' || 1 + k % 3, '편집'] else '{}' end,
       now() - interval '60 days' + (f.project_id % 40) * interval '1 day' + k * interval '50 minutes'
from videoplanet.feedbacks f
cross join generate_series(1, 15) as k
join voice on voice.project_id = f.project_id and voice.number = 1 + (k + f.project_id) % voice.people;

insert into videoplanet.comments (item_id, project_id, user_id, content, created)
select i.id, i.project_id, voice.user_id,
       (array['네, 수정하겠습니다.', 'Agreed.', '다음 버전에서 확인해 주세요.', 'Which frame exactly?', '반영했습니다.'])[1 + (i.id + k) % 5],
       i.created + k * interval '2 hours'
from videoplanet.feedback_items i
cross join generate_series(1, 2) as k
join voice on voice.project_id = i.project_id and voice.number = 1 + (i.id + k) % voice.people
where (i.id + k) % 3 > 0;

insert into videoplanet.comments (item_id, project_id, parent_id, user_id, content, created)
select c.item_id, c.project_id, c.id, voice.user_id, '감사합니다. Thank you.', c.created + interval '1 hour'
from videoplanet.comments c
join voice on voice.project_id = c.project_id and voice.number = 1 + c.id % voice.people
where c.id % 5 = 0 and c.parent_id is null;

insert into videoplanet.reactions (item_id, project_id, user_id, kind)
select i.id, i.project_id, voice.user_id, (array['like', 'question', '👍', 'dislike'])[1 + (i.id + voice.number) % 4]
from videoplanet.feedback_items i
join voice on voice.project_id = i.project_id and (i.id + voice.number) % 4 = 0;

insert into videoplanet.reactions (comment_id, project_id, user_id, kind)
select c.id, c.project_id, voice.user_id, 'like'
from videoplanet.comments c
join voice on voice.project_id = c.project_id and (c.id + voice.number) % 6 = 0;

insert into videoplanet.feedback_reads (item_id, project_id, user_id)
select i.id, i.project_id, voice.user_id
from videoplanet.feedback_items i
join voice on voice.project_id = i.project_id and voice.user_id <> i.user_id and (i.id + voice.number) % 2 = 0;

insert into videoplanet.chat_messages (project_id, user_id, message, created)
select voice.project_id, voice.user_id,
       (array['안녕하세요, 오늘 시사 있습니다.', 'I will be five minutes late.', '새 버전 올렸습니다.', 'Great work, everyone.'])[1 + (voice.project_id + k) % 4],
       now() - interval '30 days' + (voice.project_id * 7 + k * 13) * interval '1 minute'
from generate_series(1, 8) as k
join voice on voice.number = 1 + (voice.project_id + k) % voice.people;

insert into videoplanet.notifications
    (user_id, kind, type, category, priority, title, message, project_id, sender_id, metadata, created, read_at)
select p.user_id, 'feedback', 'new_feedback', 'feedback', 'medium', '새 의견', i.text, i.project_id,
       case when not i.security then i.user_id end, jsonb_build_object('feedback_id', i.id), i.created,
       case when i.id % 2 = 0 then i.created + interval '3 hours' end
from videoplanet.feedback_items i
join videoplanet.projects p on p.id = i.project_id and p.user_id <> i.user_id
where i.id % 4 = 0 and i.project_id in (select project_id from voice);

analyze trestle.account, videoplanet.users, videoplanet.user_memos, videoplanet.stages, videoplanet.projects,
    videoplanet.project_stages, videoplanet.project_members, videoplanet.project_files, videoplanet.project_memos,
    videoplanet.project_invites, videoplanet.milestones, videoplanet.feedbacks, videoplanet.feedback_items,
    videoplanet.feedback_reads, videoplanet.comments, videoplanet.reactions, videoplanet.chat_messages,
    videoplanet.notifications, videoplanet.activities;

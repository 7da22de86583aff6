-- What: every post of an imported file (of an account that was not merged away) has exactly one snapshot from
--       files, or an API snapshot in that slot.
-- Why:  imported history must neither be lost nor counted once a file.
-- Rows: the post, and how many snapshots from files it has.
with

landed as (

    select
        files.post_id,
        max(files.collected_at) as collected_at
    from {{ ref('stg_twitter__export_posts') }} as files
    inner join {{ ref('stg_control__accounts') }} as accounts
        on
            files.account_id = accounts.account_id
            and accounts.merged_into is null
    group by files.post_id

),

-- The API goes before the newest file row of the same slot.
api_slots as (

    select distinct files.post_id
    from {{ ref('stg_twitter__export_posts') }} as files
    inner join landed
        on
            files.post_id = landed.post_id
            and files.collected_at = landed.collected_at
    inner join {{ ref('post_increments') }} as increments
        on
            files.snapshot_id = increments.id
            and increments.source = 'api'

),

marted as (

    select
        post_id,
        count(*) as snapshots
    from {{ ref('analytics_snapshots') }}
    where source = 'file'
    group by post_id

),

final as (

    select
        landed.post_id,
        coalesce(marted.snapshots, 0) as file_snapshots
    from landed
    left join marted on landed.post_id = marted.post_id
    left join api_slots on landed.post_id = api_slots.post_id
    where
        coalesce(marted.snapshots, 0) > 1
        or (marted.snapshots is null and api_slots.post_id is null)

)

select * from final

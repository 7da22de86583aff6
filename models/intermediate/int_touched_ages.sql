with

as_of as (

    select max(data_as_of) as data_as_of from {{ ref('int_account_as_of') }}

),

ages as (

    {{ comparison_ages() }}

),

-- A value at an age lies between two readings with at most one empty slot between them: a reading changes
-- those within three slots of its own, which are of two hours up to an age of 48 hours.
reaches as (

    select
        age_hours,
        age_hours * interval '1' hour as age,
        case when age_hours + 3 * 6 < 48 then 3 * 2 else 3 * 6 end * interval '1' hour as reach
    from ages

),

aged as (

    select
        touched.post_id,
        reaches.age_hours,
        touched.account_id,
        touched.earliest_published_at,
        touched.latest_published_at
    from {{ ref('int_touched_posts') }} as touched
    cross join reaches
    cross join as_of
    where
        touched.first_slot = {{ beginning() }}
        or (
            touched.latest_published_at + reaches.age >= touched.first_slot - reaches.reach
            and touched.earliest_published_at + reaches.age < touched.last_slot + reaches.reach
            and touched.earliest_published_at + reaches.age <= as_of.data_as_of
        )

),

-- Age 0 is the whole life of a post: files tell of no age, and a post that only files knew may be read now.
lives as (

    select
        touched.post_id,
        0 as age_hours,
        touched.account_id,
        touched.earliest_published_at,
        touched.latest_published_at
    from {{ ref('int_touched_posts') }} as touched
    where
        touched.first_slot = {{ beginning() }}
        or touched.post_id in (select files.post_id from {{ ref('stg_twitter__export_posts') }} as files)

),

final as (

    select * from aged
    union all
    select * from lives

)

select * from final

package core

import "time"

// TaskKind says which use case works a task.
type TaskKind string

// Kinds of tasks.
const (
	// TaskSettle looks at the story of one sale (Prepare and Reverse).
	TaskSettle TaskKind = "settle"
	// TaskIssue sends a blue or red document that is Ready.
	TaskIssue TaskKind = "issue"
	// TaskQuery asks what became of a document that was sent.
	TaskQuery TaskKind = "query"
	// TaskApply applies for a red confirmation.
	TaskApply TaskKind = "red_apply"
	// TaskConfirm asks how a red confirmation stands.
	TaskConfirm TaskKind = "red_query"
	// TaskFiles fetches the files of an issued invoice.
	TaskFiles TaskKind = "files"
	// TaskDeliver hands a parcel to a delivery plugin.
	TaskDeliver TaskKind = "deliver"
	// TaskTrack asks a provider what became of a parcel.
	TaskTrack TaskKind = "track"
	// TaskFetch fetches one order from its platform.
	TaskFetch TaskKind = "fetch"
	// TaskPull pulls an instance's next page.
	TaskPull TaskKind = "pull"
	// TaskProbe asks whether a paused lane's channel answers again.
	TaskProbe TaskKind = "probe"
	// TaskReconcile compares the books.
	TaskReconcile TaskKind = "reconcile"
)

// Lane is a line of tasks with a cap across hosts, such as one taxpayer's sends at one channel.
type Lane string

// Lanes without a subject.
const (
	LanePrepare Lane = "prepare"
	LaneSystem  Lane = "system"
)

// SendLane holds what is sent to a bureau: issues, applications, reds. It is the one that pauses.
func SendLane(c ChannelID, s SellerID) Lane { return Lane("send/" + string(c) + "/" + string(s)) }

// QueryLane holds what only asks: queries, polls, files. It goes on while the send lane is paused.
func QueryLane(c ChannelID, s SellerID) Lane { return Lane("query/" + string(c) + "/" + string(s)) }

// DeliveryLane holds a delivery instance's parcels.
func DeliveryLane(i InstanceID) Lane { return Lane("deliver/" + string(i)) }

// FeedLane holds an instance's fetches and pulls; one at a time.
func FeedLane(i InstanceID) Lane { return Lane("feed/" + string(i)) }

// Priority orders tasks of equal age: blue before red.
type Priority int

// Priorities.
const (
	PriorityBlue Priority = 0
	PriorityRed  Priority = 1
)

// Task is a piece of work. Its key is unique among waiting and running tasks: enqueuing a key that waits changes at
// most its time, enqueuing one that runs makes it run once more afterwards.
type Task struct {
	ID   ID
	Kind TaskKind
	Lane Lane
	Key  string
	// Subject is what the task is about: a document, a parcel, an instance; Name an order number.
	Subject  string
	Name     string
	Store    StoreCode
	RunAt    time.Time
	Priority Priority
	// Attempt counts the runs that ended in Retry.
	Attempt int
	// Owner and LeaseUntil are set while it runs; finishing needs the same owner.
	Owner      string
	LeaseUntil time.Time
	EnqueuedAt time.Time
}

// SettleKey is the key of the task that looks at a sale.
func SettleKey(instance InstanceID, name string) string {
	return "settle:" + string(instance) + "/" + name
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// IDs draws new ids.
type IDs interface{ New() ID }
